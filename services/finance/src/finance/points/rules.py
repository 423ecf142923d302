"""What a point is worth: a promise to the customer, and so a contract liability where the standard knows one.

The Accounting Standards for Business Enterprises (CAS 14) defer the revenue that pays for the promise: revenue to
contract liability. Points that pay a sale or expire turn it into revenue; a refund that is paid in points makes it
again. The standard for small enterprises has neither the account (2204) nor the deferral in the table of
posting rules, so there a point has no value in the books until it is redeemed, and then lowers that sale's revenue.
Source: regulations 3.0c (points earned), model 3.2 (loyalty = contract liability)
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from msgspec import Struct

from finance.kernel import dated
from finance.kernel.chart import Chart, Standard
from finance.kernel.posting import PostingLine, balanced
from finance.kernel.receipt import Payment, Receipt
from shared.errors import Conflict, Invalid, Unavailable
from shared.languages import Text

YEAR_3000_MS = 32_503_680_000_000


class PointsExceedEarned(Conflict):
    """More would be taken back or expire than the sale earned."""

    code = "points_exceed_earned"
    cure = "Compare the points of the sale in customers and in finance, then apply the event again or discard it."


class RedemptionLotsDiffer(Invalid):
    """A told redemption's lots are not its points."""

    code = "redemption_lots_differ"
    cure = "Mend the producer of the event, then apply it again."


class PointsNotTied(Conflict):
    """The contract liability differs from the points it stands for."""

    code = "points_not_tied"
    cure = "Tell the operator: points and what is booked for them must be equal before the month closes."


class PointsNotInBulk(Invalid):
    """Points pay at a till that asked for them; such a receipt is posted by itself."""

    code = "points_not_in_bulk"
    cure = "Post this receipt by itself."


class RedemptionUnknown(Conflict):
    """Customers has redeemed no such points, and we have heard everything customers said."""

    code = "redemption_unknown"
    cure = "Ask customers for a redemption and name it."


class RedemptionNotYetKnown(Unavailable):
    """Customers said things we have not heard yet; this redemption may be one of them."""

    code = "redemption_not_yet_known"
    cure = "Send the same again after `Retry-After` seconds."


class RedemptionMismatch(Conflict):
    """The points were redeemed for another receipt, branch or customer."""

    code = "redemption_of_another_receipt"
    cure = "Ask customers for a redemption of this receipt."


class RedemptionAmountDiffers(Conflict):
    """The tender pays another amount than the points are worth."""

    code = "redemption_amount_differs"
    cure = "Let points pay the value that the redemption names."


class RedemptionRestored(Conflict):
    """The points went back to the customer: redeem again."""

    code = "redemption_restored"
    cure = "Ask customers for a new redemption."


class RedemptionUsed(Conflict):
    code = "redemption_used"
    cure = "Ask customers for a new redemption."


class Consumed(Struct, frozen=True):
    """Points of a redemption that one sale earned; `fen_per_point` is None while we have not heard of that sale."""

    sale_id: UUID
    points: int
    fen_per_point: int | None


class Redemption(Struct, frozen=True):
    """Points set aside for a receipt; `lots` in the order they are consumed."""

    redemption_id: UUID
    customer_id: UUID
    branch_id: str
    receipt_number: str
    points: int
    value_fen: int
    restored_cause: str | None
    used_by: UUID | None
    lots: Sequence[Consumed]


def require_usable(
    redemption: Redemption | None, receipt: Receipt, payment: Payment, *, is_caught_up: bool
) -> int:
    """The contract liability that the points stand for, in fen, when they may pay this receipt.

    Raises RedemptionUnknown, RedemptionNotYetKnown, RedemptionMismatch, RedemptionUsed, RedemptionRestored,
    RedemptionAmountDiffers.
    """
    if redemption is None or any(lot.fen_per_point is None for lot in redemption.lots):
        if is_caught_up and redemption is None:
            raise RedemptionUnknown("customers has redeemed no such points")
        raise RedemptionNotYetKnown("customers has news that is still on its way", retry_after_s=2)
    for name in ("branch_id", "receipt_number", "customer_id"):
        if getattr(redemption, name) != getattr(receipt, name):
            raise RedemptionMismatch("the points were redeemed for another receipt", field=name)
    if redemption.used_by is not None:
        raise RedemptionUsed("a sale used these points", sale_id=str(redemption.used_by))
    if redemption.restored_cause is not None:
        raise RedemptionRestored("the points went back to the customer", cause=redemption.restored_cause)
    if redemption.value_fen != payment.amount.fen:
        raise RedemptionAmountDiffers(
            Text("the points are worth {value_fen} fen", value_fen=redemption.value_fen),
            value_fen=redemption.value_fen,
        )
    return sum(lot.points * (lot.fen_per_point or 0) for lot in redemption.lots)


def fen_per_point(standard: Standard, day: date) -> int:
    """The value of one point earned on `day`, in fen; 0 under the standard for small enterprises."""
    if standard is Standard.SMALL:
        return 0
    known = dated.in_force("point_values", day)
    return int(known[-1]["value"]) if known else 0


def earned(chart: Chart, value_fen: int) -> list[PostingLine]:
    """Revenue to contract liability; nothing for a value of 0."""
    if not value_fen:
        return []
    return balanced(
        [
            PostingLine(chart.code("revenue"), value_fen, 0),
            PostingLine(chart.code("contract_liability"), 0, value_fen),
        ]
    )


def taken_back(chart: Chart, value_fen: int) -> list[PostingLine]:
    """The mirror of `earned`."""
    return [
        line._replace(debit_fen=line.credit_fen, credit_fen=line.debit_fen)
        for line in earned(chart, value_fen)
    ]


def used(chart: Chart, value_fen: int, liability_fen: int) -> list[PostingLine]:
    """What points pay of a sale: the promise is kept, and what they are worth more or less is less or more revenue."""
    return [
        *_side(chart, "contract_liability", liability_fen),
        *_side(chart, "revenue", value_fen - liability_fen),
    ]


def paid_back(chart: Chart, fen: int, liability_fen: int) -> list[PostingLine]:
    """A refund paid in points: the promise stands again; the difference is revenue."""
    return balanced(
        [
            PostingLine(chart.code("refunds_payable"), fen, 0),
            *_side(chart, "contract_liability", -liability_fen),
            *_side(chart, "revenue", liability_fen - fen),
        ]
    )


def _side(chart: Chart, meaning: str, debit_fen: int) -> list[PostingLine]:
    """A line to the debit, or to the credit when negative; none for nothing."""
    if not debit_fen:
        return []
    return [PostingLine(chart.code(meaning), max(debit_fen, 0), max(-debit_fen, 0))]


class Back(Struct, frozen=True):
    """What a refund gives back: its own points and their value when earned; `lots` after it, per lot in all."""

    points: int
    liability_fen: int
    lots: Sequence[int]


def give_back(lots: Sequence[Consumed], value_fen: int, *, before_fen: int, refund_fen: int) -> Back:
    """The points that `refund_fen` more of the redeemed value gives back, after `before_fen` of it.

    Rounding: whole points, down on the cumulative amount; a full refund gives back exactly all. The last consumed
    come back first. Precondition: before_fen + refund_fen ≤ value_fen.
    """
    assert 0 <= before_fen <= before_fen + refund_fen <= value_fen
    total = sum(lot.points for lot in lots)
    before = _spread(lots, total * before_fen // value_fen)
    after = _spread(lots, total * (before_fen + refund_fen) // value_fen)
    own = [now - then for now, then in zip(after, before, strict=True)]
    value = sum(points * (lot.fen_per_point or 0) for lot, points in zip(lots, own, strict=True))
    return Back(sum(own), value, after)


def _spread(lots: Sequence[Consumed], points: int) -> list[int]:
    back = []
    for lot in reversed(lots):
        back.append(min(lot.points, points))
        points -= back[-1]
    return back[::-1]
