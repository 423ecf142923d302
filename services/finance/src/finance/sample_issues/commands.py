"""Hand samples out: what they cost, and the output VAT of what is given away, which is deemed sold.

Source: F25, 增值税暂行条例实施细则 Art 4, 16; 增值税法 Art 5, 19; 国税发〔1993〕154号 (all [M])
"""

from datetime import date
from uuid import UUID

from finance import costs, entries, periods, prices, samples
from finance.book import book_of
from finance.kernel.vat import tax_inside
from finance.sample_issues import rules, store
from shared.clock import business_date
from shared.languages import Text
from shared.money import half_up
from shared.transaction import Tx


def issue(tx: Tx, sample_id: UUID) -> None:
    """Hand them over and book what they cost: the lot's moving average; where it was never bought, the till's cost.

    What is given away is deemed sold, its output VAT is booked with it. By a storekeeper who neither asked nor
    approved. Raises SampleNotFound, ForeignBranch, SampleStateWrong, SamePerson, SampleForbidden,
    SampleTaxRateInvalid, SampleLotExpired, LotStopped, SampleStockShort, SampleCostUnknown, PeriodClosed, Unbudgeted,
    BudgetExceeded, OverrunNotApproved and the refusals of a trade permission.
    """
    sample = samples.hold(tx, sample_id, "approved")
    today = business_date(tx.now)
    samples.require_issuable(tx, sample, today)
    booked_on, reference = periods.booking_days(tx, {today})[today]
    basis, cost_fen = _cost(tx, sample, booked_on)
    deemed_sale = deemed_sale_of(tx, sample, cost_fen, today)
    vat_fen = 0 if deemed_sale is None else deemed_sale.vat_fen
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=booked_on,
            branch_id=sample.branch_id,
            kind="sample_issue",
            source_id=str(sample_id),
            postings=rules.issue_postings(book_of(tx.conn).chart, cost_fen, vat_fen),
            reference=reference,
        ),
    )
    samples.keep_issue(tx, sample, samples.Issue(booked_on, basis, cost_fen, deemed_sale))


def _cost(tx: Tx, sample: samples.Sample, day: date) -> tuple[str, int]:
    """What these units cost and what that rests on; the lot's row stays locked, so no two issues share a unit."""
    stock = costs.stock_of(tx, sample.branch_id, (sample.product_id, sample.lot), day)
    if stock is not None:
        if sample.quantity > stock.quantity:
            raise rules.SampleStockShort(
                Text("the lot holds {quantity}", quantity=stock.quantity), available=stock.quantity
            )
        return "average", stock.value_of(sample.quantity)
    last = store.last_cost(tx.conn, sample.branch_id, sample.product_id, sample.lot_key)
    if last is not None:
        return "till", half_up(last.cost_fen * sample.quantity, last.quantity)
    if sample.is_packaging:
        return "none", 0
    raise rules.SampleCostUnknown("this branch neither bought nor sold the lot")


def deemed_sale_of(tx: Tx, sample: samples.Sample, cost_fen: int, day: date) -> samples.DeemedSale | None:
    """Base and tax in fen of a sample issued on `day`; None for what is not given away.

    Raises SampleTaxRateInvalid when the rate has ended since it was asked for.
    """
    if not sample.is_taxed(day):
        return None
    assert sample.tax_bp is not None, "what is taxed says its rate"
    price = prices.list_price(tx.conn, sample.product_id, sample.customer_id, day)
    if price is None:
        return samples.DeemedSale("cost", *rules.composed(cost_fen, sample.tax_bp, day))
    gross = price * sample.quantity
    tax = tax_inside(gross, sample.tax_bp)
    return samples.DeemedSale("price", gross - tax, tax)
