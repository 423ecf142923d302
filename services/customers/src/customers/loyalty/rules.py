"""Points: earned per sale line, taken back with refunds, consumed as lots, expired; and the dated rules of all this.

A sale and its refunds are facts that may arrive in any order; every number here is a function of the facts alone. A
lot's points are what its sale earned, less what refunds took back, what was redeemed and what expired; a refund of
goods whose points were redeemed makes a lot, and perhaps the balance, negative. The points that expire first pay such
debts first. Source: C38, G17, I13, model 3.1 (LoyaltyAccount)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from customers.kernel.dated import row_in_force, rows_of
from shared.errors import Conflict, NotFound, Unavailable
from shared.languages import Text
from shared.money import allocate


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningRule:
    """One point for each `fen_per_point` fen of what was paid with any tender but the excluded ones."""

    fen_per_point: int
    excluded_tenders: frozenset[str]


@cache
def earning_rule(on: date) -> EarningRule | None:
    """The rule for sales that count to the day `on`; None before the first."""
    row = row_in_force(rows_of("customers.loyalty", "loyalty.json"), on)
    if row is None:
        return None
    return EarningRule(fen_per_point=row["value"], excluded_tenders=frozenset(row["excluded_tenders"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionRule:
    """A point pays `fen_per_point`; points nobody used go back after `restore_after`."""

    fen_per_point: int
    restore_after: timedelta


class RedemptionNotOffered(Conflict):
    """No dated rule says what a point is worth on this day."""

    code = "redemption_not_offered"
    cure = "Let the receipt be paid without points: no rule allows them on this day."


@cache
def redemption_rule(on: date) -> RedemptionRule:
    """What redeeming on the day `on` follows. Raises RedemptionNotOffered before the first rule."""
    value, hours = (_redemption(name, on) for name in ("value", "restore_after"))
    if value is None or hours is None:
        raise RedemptionNotOffered(Text("no rule for points is in force on {on}", on=on))
    return RedemptionRule(fen_per_point=value, restore_after=timedelta(hours=hours))


@cache
def points_expire_on(earned_on: date) -> date | None:
    """The last day on which points earned on this day may be used; None when they never expire."""
    years = _redemption("expiry", earned_on)
    return None if years is None else date(earned_on.year + years, 12, 31)


def _redemption(rule: str, on: date) -> int | None:
    row = row_in_force(
        [row for row in rows_of("customers.loyalty", "redemption.json") if row["rule"] == rule], on
    )
    return None if row is None else int(row["value"])


@dataclass(frozen=True, slots=True)
class Earning:
    """Points of one sale line. `gross_fen` is net plus tax; `basis_fen` the part of it that earns."""

    line_id: str
    gross_fen: int
    basis_fen: int
    points: int


def earn(lines: Sequence[tuple[str, int]], excluded_fen: int, fen_per_point: int) -> list[Earning]:
    """Points for a sale of `lines` (id and gross fen) of which `excluded_fen` was paid by tenders that earn nothing.

    The excluded part is spread over the lines by their amounts. The sale earns one point per full
    `fen_per_point` of the rest, and these points are spread over the lines by what each contributes, so a
    receipt of many cheap lines loses nothing to rounding.
    Shapes: one entry per line that earns at least one point, in order.
    """
    gross = [fen for _, fen in lines]
    total = sum(gross)
    eligible = total - min(max(excluded_fen, 0), total)
    points = eligible // fen_per_point
    if points == 0:
        return []
    basis = allocate(eligible, gross)
    shares = allocate(points, basis)
    return [
        Earning(line_id, fen, base, share)
        for (line_id, fen), base, share in zip(lines, basis, shares, strict=True)
        if share
    ]


def reversed_points(earning: Earning, refunded_fen: int) -> int:
    """The points that `refunded_fen` of the line's gross take back in all.

    Rounding: down, on the cumulative amount, so that a full refund takes back exactly what was earned.
    """
    refunded = min(max(refunded_fen, 0), earning.gross_fen)
    return earning.points * refunded // earning.gross_fen


def take_back(
    earnings: Sequence[Earning], before: Mapping[str, int], refund: Mapping[str, int]
) -> tuple[int, dict[str, int]]:
    """The points one more refund takes back, and the refunded fen per line after it.

    `before` and `refund` map a line's id to fen of its gross.
    """
    after = dict(before)
    for line_id, fen in refund.items():
        after[line_id] = after.get(line_id, 0) + fen
    points = sum(
        reversed_points(each, after.get(each.line_id, 0)) - reversed_points(each, before.get(each.line_id, 0))
        for each in earnings
    )
    return points, after


class PointsInsufficient(Conflict):
    """The points that may be used today are fewer than asked for; a debt counts against them."""

    code = "points_insufficient"
    cure = "Redeem at most as many points as the sentence names."


class PointsNotYetKnown(Unavailable):
    """Finance said things we have not heard yet; a sale that earns points may be one of them."""

    code = "points_not_yet_known"
    cure = "Ask again after `Retry-After` seconds."


class RedemptionNotFound(NotFound):
    code = "redemption_not_found"
    cure = "Check the id against the answer that made the redemption."


class ReceiptHasRedemption(Conflict):
    """Points were redeemed for this receipt before, and are not given back."""

    code = "receipt_has_redemption"
    cure = "Use the redemption that this receipt has, or cancel it first."


class RedemptionAlreadyUsed(Conflict):
    code = "redemption_already_used"
    cure = "Take the points back by a return of the sale that used them."


class RedemptionAlreadyGivenBack(Conflict):
    code = "redemption_already_given_back"
    cure = "Ask for a new redemption."


class RedemptionUnheardOf(Conflict):
    """Finance names a redemption, or more points of it, than there is here."""

    code = "redemption_unheard_of"
    cure = "Apply the event again when the redemption that it names has arrived."


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
        raise PointsInsufficient(
            Text("{points} points may be used", points=points - wanted), usable=points - wanted
        )
    return taken


def consume_or_owe(lots: Sequence[Lot], points: int) -> list[Share]:
    """The lots that `points` > 0 were taken from long ago: what is free, and a debt of the last for the rest.

    Empty when there are no lots at all.
    """
    taken: list[Share] = []
    for lot, available in free(lots):
        part = min(available, points - sum(share for _, share in taken))
        if part:
            taken.append((lot, part))
    rest = points - sum(share for _, share in taken)
    if not rest:
        return taken
    if taken:
        return [*taken[:-1], (taken[-1][0], taken[-1][1] + rest)]
    return [(lots[-1], rest)] if lots else []


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
