"""What handing out samples posts, and when it is deemed a sale."""

from datetime import date

from finance.kernel.chart import Chart
from finance.kernel.posting import PostingLine, balanced
from finance.samples import rule
from shared.errors import Conflict
from shared.money import half_up

BP = 10_000


class SampleStockShort(Conflict):
    """The lot does not hold so much."""

    code = "sample_stock_short"
    cure = "Ask for at most what the lot holds."


class SampleCostUnknown(Conflict):
    """The branch neither bought nor sold this lot, so nobody knows what it costs."""

    code = "sample_cost_unknown"
    cure = "Give a lot that the branch bought or sold."


def composed(cost_fen: int, tax_bp: int, day: date) -> tuple[int, int]:
    """Base and VAT in fen of goods without a price: cost × (1 + cost profit rate), 组成计税价格; both rounded half up."""
    base = half_up(cost_fen * (BP + rule("cost_profit_bp", day)), BP)
    return base, half_up(base * tax_bp, BP)


def issue_postings(chart: Chart, cost_fen: int, vat_fen: int) -> list[PostingLine]:
    """Selling expenses, samples, against merchandise and the output VAT of what is deemed sold."""
    return balanced(
        [
            PostingLine(chart.code("selling_samples"), cost_fen + vat_fen, 0),
            PostingLine(chart.code("inventory"), 0, cost_fen),
            PostingLine(chart.code("output_vat"), 0, vat_fen),
        ]
    )
