"""The points of a patient as lots, one per sale: which are used first, which pay a debt, which expire.

A lot's points are what its sale earned, less what refunds took back, what was redeemed and what expired; a refund
of goods whose points were redeemed makes a lot, and perhaps the balance, negative. The points that expire first
pay such debts first. Source: C38, I13, model 3.1 (LoyaltyAccount)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.errors import Conflict, NotFound, Unavailable


class PointsInsufficient(Conflict):
    """The points that may be used today are fewer than asked for; a debt counts against them."""

    code = "points_insufficient"


class PointsNotYetKnown(Unavailable):
    """Finance said things we have not heard yet; a sale that earns points may be one of them."""

    code = "points_not_yet_known"


class RedemptionNotFound(NotFound):
    code = "redemption_not_found"


class ReceiptHasRedemption(Conflict):
    """Points were redeemed for this receipt before, and are not given back."""

    code = "receipt_has_redemption"


class RedemptionAlreadyUsed(Conflict):
    code = "redemption_already_used"


class RedemptionAlreadyGivenBack(Conflict):
    code = "redemption_already_given_back"


class RedemptionUnheardOf(Conflict):
    """Finance names a redemption, or more points of it, than there is here."""

    code = "redemption_unheard_of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """The points of one sale. `reversed_` is what its refunds take back, had none of them expired before."""

    sale_id: str
    branch_id: str
    earned_on: date
    expires_on: date | None
    earned: int
    reversed_: int
    redeemed: int
    expired: int

    @property
    def taken_back(self) -> int:
        """Never what has expired: that is gone already."""
        return min(self.reversed_, self.earned - self.expired)

    @property
    def left(self) -> int:
        """May be negative: goods came back whose points had been redeemed."""
        return self.earned - self.taken_back - self.redeemed - self.expired

    def is_past(self, today: date) -> bool:
        return self.expires_on is not None and self.expires_on < today


Share = tuple[Lot, int]
"""A lot and some of its points."""


def balance(lots: Sequence[Lot]) -> int:
    return sum(lot.left for lot in lots)


def free(lots: Sequence[Lot]) -> list[Share]:
    """Each lot's points that pay no debt, the first to expire first; the earliest pay the debts."""
    debt = -sum(lot.left for lot in lots if lot.left < 0)
    shares = []
    for lot in sorted((lot for lot in lots if lot.left > 0), key=_use_order):
        paid = min(debt, lot.left)
        debt -= paid
        if lot.left > paid:
            shares.append((lot, lot.left - paid))
    return shares


def _use_order(lot: Lot) -> tuple[date, date, str]:
    return lot.expires_on or date.max, lot.earned_on, lot.sale_id


def usable(lots: Sequence[Lot], today: date) -> int:
    """How many points may be redeemed today."""
    return sum(points for lot, points in free(lots) if not lot.is_past(today))


def consume(lots: Sequence[Lot], points: int, today: date) -> list[Share]:
    """The lots that `points` > 0 are taken from, the first to expire first. Raises PointsInsufficient."""
    taken, wanted = [], points
    for lot, available in free(lots):
        if lot.is_past(today) or not wanted:
            continue
        taken.append((lot, min(available, wanted)))
        wanted -= taken[-1][1]
    if wanted:
        raise PointsInsufficient(f"{points - wanted} points may be used", usable=points - wanted)
    return taken


def expiring(lots: Sequence[Lot], today: date) -> list[Share]:
    """What expires by today: free points of the lots whose last day is over."""
    return [(lot, points) for lot, points in free(lots) if lot.is_past(today)]


def given_back(lots: Sequence[int], points: int) -> list[int]:
    """How `points` that come back are spread over the points of the lots of a redemption: last consumed, first back.

    Precondition: 0 ≤ points ≤ Σ lots.
    """
    back = []
    for lot in reversed(lots):
        back.append(min(lot, points))
        points -= back[-1]
    return back[::-1]
