"""What was told of points: kept once, whatever its order and however often."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import Connection, Cursor

from finance.kernel.chart import Standard
from finance.points import rules
from finance.points.model import (
    PointsCorrected,
    PointsEarned,
    PointsExpired,
    PointsRedeemed,
    PointsRestored,
    PointsTakenBack,
)
from finance.points.rules import PointsExceedEarned
from shared.events import Envelope
from shared.languages import Text

_LOCK = "select pg_advisory_xact_lock{}(hashtextextended('finance:points', 0))"
_ADD_EARNED = """
    insert into points_earned (sale_id, branch_id, points, fen_per_point, earned_on)
    select * from unnest(%s::uuid[], %s::text[], %s::bigint[], %s::int[], %s::date[])
    order by 1 on conflict (sale_id) do nothing
    returning sale_id, branch_id, points, fen_per_point, earned_on
"""
_ADD_TAKEN_BACK = """
    insert into points_taken_back (sale_id, return_id, branch_id, points, taken_on, event_id)
    select * from unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::date[], %s::uuid[])
    order by 1, 2, 6 on conflict (sale_id, return_id, event_id) do nothing
    returning sale_id, event_id::text
"""
_ADD_EXPIRED = """
    insert into points_expired (expiry_id, sale_id, branch_id, points, expired_on, event_id)
    select * from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::date[], %s::uuid[])
    order by 1, 2 on conflict (expiry_id, sale_id) do nothing
    returning sale_id, expiry_id::text
"""
_ADD_CORRECTED = """
    insert into points_corrections (lost_event_id, sale_id, branch_id, return_id, points, corrected_on)
    select * from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::date[])
    order by 1, 2 on conflict (lost_event_id, sale_id) do nothing
    returning sale_id, lost_event_id::text
"""
_GONE = """
    select t.sale_id, 'points_taken_back', t.event_id::text, t.return_id, t.branch_id, t.points, t.taken_on, e.points,
        e.fen_per_point
    from points_taken_back t join points_earned e using (sale_id) where t.sale_id = any(%(ids)s)
    union all
    select x.sale_id, 'points_expired', x.expiry_id::text, null, x.branch_id, x.points, x.expired_on, e.points,
        e.fen_per_point
    from points_expired x join points_earned e using (sale_id) where x.sale_id = any(%(ids)s)
    union all
    select c.sale_id, 'points_corrected', c.lost_event_id::text, c.return_id, c.branch_id, -c.points, c.corrected_on,
        e.points, e.fen_per_point
    from points_corrections c join points_earned e using (sale_id) where c.sale_id = any(%(ids)s)
    order by 1, 2, 4, 3
"""
# What customers has forgotten that it told of points taken and expired: it tells it again, under other events.
_LOST = """
    select event_id, sale_id, branch_id, return_id, points from points_taken_back
    where event_id = any(%(lost)s) and points > 0
    union all
    select event_id, sale_id, branch_id, null, points from points_expired where event_id = any(%(lost)s)
"""
_GIVE_UP = """
    insert into points_restorations (redemption_id, cause, restored_on)
    select redemption_id, 'lost', %(today)s from points_redemptions r where event_id = any(%(lost)s)
        and not exists (select from points_uses where redemption_id = r.redemption_id)
    order by 1 on conflict (redemption_id) do nothing
    returning redemption_id::text
"""
_USED_AND_LOST = """
    select redemption_id::text, sale_id::text, points, customer_id::text from points_redemptions r
    join points_uses using (redemption_id) where event_id = any(%(lost)s) order by 1
"""
_ADD_REDEEMED = """
    insert into points_redemptions (redemption_id, customer_id, branch_id, receipt_number, points, value_fen,
        redeemed_on, event_id)
    select * from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::date[],
        %s::uuid[])
    order by 1 on conflict (redemption_id) do nothing
    returning redemption_id
"""
_ADD_LOTS = """
    insert into points_redemption_lots (redemption_id, no, sale_id, points)
    select * from unnest(%s::uuid[], %s::int[], %s::uuid[], %s::bigint[])
"""
_ADD_RESTORED = """
    insert into points_restorations (redemption_id, cause, restored_on)
    select * from unnest(%s::uuid[], %s::text[], %s::date[])
    order by 1 on conflict (redemption_id) do nothing
"""


class Gone(NamedTuple):
    """Points of a sale that are gone, or came back when negative, and what the sale had earned."""

    sale_id: UUID
    kind: str
    cause: str
    return_id: str | None
    branch_id: str
    points: int
    day: date
    earned: int
    fen_per_point: int


class Lost(NamedTuple):
    """What a lost event took of a sale's points, or let expire."""

    event_id: UUID
    sale_id: UUID
    branch_id: str
    return_id: str | None
    points: int


def hold_points(cursor: Cursor[Any], *, only_earns: bool) -> None:
    """Who only earns shares the lock; who takes away holds it alone."""
    cursor.execute(_LOCK.format("_shared" if only_earns else ""))


def gone_of(cursor: Cursor[Any], sale_ids: Collection[UUID]) -> list[Gone]:
    """What is gone of the points of these sales, sale by sale, of those that are known to have earned."""
    if not sale_ids:
        return []
    return [Gone(*row) for row in cursor.execute(_GONE, {"ids": sorted(sale_ids)})]


def add_earned(cursor: Cursor[Any], standard: Standard, told: Sequence[Envelope]) -> list[tuple[Any, ...]]:
    """(sale, branch, points, fen per point, day) of those not known before."""
    rows = []
    for envelope in told:
        event = msgspec.convert(envelope.data, PointsEarned)
        value = rules.fen_per_point(standard, envelope.day)
        rows.append((event.sale_id, event.branch_id, event.points, value, envelope.day))
    return cursor.execute(_ADD_EARNED, _columns(rows)).fetchall() if rows else []


def add_taken_back(cursor: Cursor[Any], told: Sequence[Envelope]) -> set[tuple[UUID, str]]:
    rows = []
    for envelope in told:
        event = msgspec.convert(envelope.data, PointsTakenBack)
        what = (event.sale_id, event.return_id, event.branch_id, event.points)
        rows.append((*what, envelope.day, envelope.event_id))
    return set(cursor.execute(_ADD_TAKEN_BACK, _columns(rows)).fetchall()) if rows else set()


def add_expired(cursor: Cursor[Any], told: Sequence[Envelope]) -> set[tuple[UUID, str]]:
    rows = []
    for envelope in told:
        event = msgspec.convert(envelope.data, PointsExpired)
        rows += [
            (event.expiry_id, lot.sale_id, lot.branch_id, lot.points, event.expired_on, envelope.event_id)
            for lot in event.lots
        ]
    return set(cursor.execute(_ADD_EXPIRED, _columns(rows)).fetchall()) if rows else set()


def add_corrected(cursor: Cursor[Any], told: Sequence[Envelope]) -> set[tuple[UUID, str]]:
    rows = []
    for envelope in told:
        event = msgspec.convert(envelope.data, PointsCorrected)
        what = (event.lost_event_id, event.sale_id, event.branch_id, event.return_id, event.points)
        rows.append((*what, envelope.day))
    return set(cursor.execute(_ADD_CORRECTED, _columns(rows)).fetchall()) if rows else set()


def taken_by(cursor: Cursor[Any], event_ids: Sequence[UUID]) -> list[Lost]:
    """What these events took back and let expire."""
    return [Lost(*row) for row in cursor.execute(_LOST, {"lost": event_ids})]


def correct_lost(cursor: Cursor[Any], lost: Sequence[Lost], today: date) -> set[tuple[UUID, str]]:
    """Give back what was taken; (sale, event) of what was not given back before."""
    rows = [(*each, today) for each in lost]
    return set(cursor.execute(_ADD_CORRECTED, _columns(rows)).fetchall()) if rows else set()


def give_up_unused(cursor: Cursor[Any], event_ids: Sequence[UUID], today: date) -> list[str]:
    """Redemptions that these events told and no sale used go back; their ids."""
    return [row[0] for row in cursor.execute(_GIVE_UP, {"lost": event_ids, "today": today})]


def used_by_sales(cursor: Cursor[Any], event_ids: Sequence[UUID]) -> list[tuple[str, str, int, str]]:
    """(redemption, sale, points, customer) of the redemptions that these events told and a sale used."""
    return cursor.execute(_USED_AND_LOST, {"lost": event_ids}).fetchall()


def add_redeemed(driver: Connection[Any], told: Mapping[UUID, tuple[PointsRedeemed, Envelope]]) -> None:
    """Redemptions by their ids with their lots; those known before stay as they are."""
    rows = [
        (
            id_,
            one.customer_id,
            one.branch_id,
            one.receipt_number,
            one.points,
            one.value_fen,
            of.day,
            of.event_id,
        )
        for id_, (one, of) in told.items()
    ]
    added = driver.execute(_ADD_REDEEMED, _columns(rows)).fetchall()
    lots = [
        (id_, no, lot.sale_id, lot.points) for (id_,) in added for no, lot in enumerate(told[id_][0].lots, 1)
    ]
    if lots:
        driver.execute(_ADD_LOTS, _columns(lots))


def add_restored(driver: Connection[Any], told: Sequence[Envelope]) -> None:
    """That redemptions went back."""
    rows = []
    for envelope in told:
        event = msgspec.convert(envelope.data, PointsRestored)
        rows.append((event.redemption_id, event.cause, envelope.day))
    driver.execute(_ADD_RESTORED, _columns(rows))


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows turned into one array per column, for unnest."""
    return [list(column) for column in zip(*rows, strict=True)]


def require_enough(gone: Sequence[Gone]) -> None:
    for sale_id, of_sale in groupby(gone, key=lambda each: each.sale_id):
        every = list(of_sale)
        total = sum(each.points for each in every if each.return_id is None)
        total += sum(
            _taken_for(list(of_return))
            for _, of_return in groupby(
                sorted((each for each in every if each.return_id), key=_return_of), key=_return_of
            )
        )
        if total > every[0].earned:
            raise PointsExceedEarned(
                Text("the sale earned {earned} points", earned=every[0].earned),
                sale_id=str(sale_id),
                gone=total,
            )


def _return_of(each: Gone) -> str:
    return each.return_id or ""


def _taken_for(of_return: Sequence[Gone]) -> int:
    """What stays taken for one return: it is taken again after a correction, which may come later than that.

    By rounding, what is taken again is another number when refunds of the sale come again in another order; once the
    corrections are here, what stays is the sum.
    """
    taken = [each.points for each in of_return if each.kind == "points_taken_back"]
    corrections = len(of_return) - len(taken)
    return min(max(taken), sum(each.points for each in of_return)) if len(taken) > corrections else 0
