"""What goods cost: a lot's quantity and value as integers, replayed day by day; purchase variance; margin.

The moving average is value ÷ quantity and is stored nowhere. What goes out takes value in proportion, rounded half
up; the last unit takes the rest, so that quantity and value reach zero together.
Source: F1, F5, M25, M26
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from finance.kernel.chart import Chart
from finance.kernel.posting import PostingLine, balanced
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.money import half_up


class SupplierInvoiceTaken(Conflict):
    """The supplier's invoice was booked before."""

    code = "supplier_invoice_taken"
    cure = "Check the invoice: it was booked or claimed before."


class ReceivedInFuture(Invalid):
    code = "received_in_future"
    cure = "Correct the day of receipt."


class PurchaseTooLarge(Invalid):
    """More than one invoice can be about: what was meant are other units."""

    code = "purchase_too_large"
    cure = "Record it as several receipts."


class PurchaseRateUnknown(Invalid):
    """No such VAT rate was in force on the day of receipt."""

    code = "purchase_vat_rate_unknown"
    cure = "Use a VAT rate that was in force on that day."


class GoodsReceiptNotFound(NotFound):
    code = "goods_receipt_not_found"
    cure = "Look it up in the list of goods receipts."


class NothingPurchased(Conflict):
    """The branch has no purchase record up to the month: there is nothing to cost."""

    code = "cost_nothing_purchased"
    cure = "Record the goods receipts of the branch first."


class CostRunMissing(Conflict):
    """A month closes only with its cost of goods at the moving average."""

    code = "cost_run_missing"
    cure = "Cost the month of this branch, then close it."


class LaterMonthCosted(Conflict):
    code = "cost_later_month_done"
    cure = "Leave the month as it is: a later one stands on its costs."


class MarginSpanInvalid(Invalid):
    code = "margin_span_invalid"
    cure = "Ask for fewer months."


class AlertNotFound(NotFound):
    code = "below_cost_alert_not_found"
    cure = "Look it up in the list of alerts."


class AlertAcknowledged(Conflict):
    code = "below_cost_alert_acknowledged"
    cure = "Nothing needs doing: the alert was acknowledged."


class SellerAcknowledges(Forbidden):
    """Who sold below cost does not acknowledge it."""

    code = "below_cost_seller"
    cure = "Let another person acknowledge it."


class Stock(NamedTuple):
    """Units of a lot and what they cost together, in fen. No units, no value."""

    quantity: int
    value_fen: int

    def receive(self, quantity: int, value_fen: int) -> "Stock":
        return Stock(self.quantity + quantity, self.value_fen + value_fen)

    def value_of(self, quantity: int) -> int:
        """The value in fen of so many of these units, at most all of them; all of them take all of it."""
        assert 0 <= quantity <= self.quantity
        return half_up(self.value_fen * quantity, self.quantity) if quantity else 0

    def issue(self, quantity: int) -> "Stock":
        return Stock(self.quantity - quantity, self.value_fen - self.value_of(quantity))


EMPTY = Stock(0, 0)


@dataclass(slots=True)
class Day:
    """What happened to a lot on a day; the costs of what was sold, returned and given are what the journal has for it."""

    received: int = 0
    received_fen: int = 0
    returned: int = 0
    returned_cost_fen: int = 0
    sold: int = 0
    sold_cost_fen: int = 0
    given: int = 0
    given_cost_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What left a lot over some days: units, their value at the moving average, and what the journal took for them.

    Returns to stock are taken off all three. `adjustment_fen` is what cost of goods lacks (or has too much, when
    negative), `samples_fen` the same of selling expense for the samples among them.
    """

    quantity: int
    value_fen: int
    booked_fen: int
    samples_fen: int
    stock: Stock

    @property
    def adjustment_fen(self) -> int:
        return self.value_fen - self.booked_fen - self.samples_fen


@dataclass(slots=True)
class _Replay:
    stock: Stock
    last: Stock = field(default=EMPTY)
    quantity: int = 0
    value_fen: int = 0
    booked_fen: int = 0
    samples_fen: int = 0

    def take_back(self, day: Day) -> None:
        """Goods come back at the average; of a lot that is empty, at its last one."""
        basis = self.stock if self.stock.quantity else self.last
        if not day.returned or not basis.quantity:
            return
        value = half_up(basis.value_fen * day.returned, basis.quantity)
        self.stock = self.stock.receive(day.returned, value)
        self.quantity -= day.returned
        self.value_fen -= value
        self.booked_fen -= day.returned_cost_fen

    def give(self, day: Day) -> None:
        """Samples go out before what is sold on the day: the lot held them when they were issued."""
        value, booked = self._take(day.given, day.given_cost_fen)
        self.samples_fen += value - booked

    def sell(self, day: Day) -> None:
        self._take(day.sold, day.sold_cost_fen)

    def _take(self, quantity: int, cost_fen: int) -> tuple[int, int]:
        """Units beyond what was ever purchased keep the cost of the till."""
        covered = min(quantity, self.stock.quantity)
        if not covered:
            return 0, 0
        self.last = self.stock
        value, booked = self.stock.value_of(covered), half_up(cost_fen * covered, quantity)
        self.stock = self.stock.issue(covered)
        self.quantity += covered
        self.value_fen += value
        self.booked_fen += booked
        return value, booked


def replay(opening: Stock, days: Iterable[tuple[date, Day]]) -> Issued:
    """Go through the days of a lot in order: what came in, came back, and went out, each day in this sequence."""
    state = _Replay(opening, opening)
    for _, day in sorted(days, key=lambda each: each[0]):
        state.stock = state.stock.receive(day.received, day.received_fen)
        if state.stock.quantity:
            state.last = state.stock
        state.take_back(day)
        state.give(day)
        state.sell(day)
    return Issued(
        quantity=state.quantity,
        value_fen=state.value_fen,
        booked_fen=state.booked_fen,
        samples_fen=state.samples_fen,
        stock=state.stock,
    )


def receipt_posting(chart: Chart, net_fen: int, tax_fen: int) -> list[PostingLine]:
    """Goods that came in: merchandise and input VAT against the supplier."""
    return balanced(
        [
            PostingLine(chart.code("inventory"), net_fen, 0),
            PostingLine(chart.code("input_vat"), tax_fen, 0),
            PostingLine(chart.code("payables"), 0, net_fen + tax_fen),
        ]
    )


def adjustment_posting(chart: Chart, fen: int, samples_fen: int = 0) -> list[PostingLine]:
    """Cost of goods, and selling expense for samples, taken too low (above 0) or too high, against merchandise."""
    of = (("cost_of_goods", fen), ("selling_samples", samples_fen), ("inventory", -fen - samples_fen))
    return balanced(PostingLine(chart.code(meaning), max(each, 0), max(-each, 0)) for meaning, each in of)


def variance_fen(quantity: int, unit_price_fen: int, reference_price_fen: int) -> int:
    """(actual − reference price) × quantity; above 0 means dearer than the reference (M26)."""
    return (unit_price_fen - reference_price_fen) * quantity


def rate_bp(part_fen: int, whole_fen: int) -> int | None:
    """`part` of `whole` in basis points, rounded half up; None when the whole is not above 0."""
    return half_up(part_fen * 10_000, whole_fen) if whole_fen > 0 else None
