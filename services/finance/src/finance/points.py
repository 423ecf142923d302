"""Points as a contract liability: at every instant 2204 = Σ points that are left × their value when earned.

Left is what was earned, less what was taken back, what expired and what paid sales, plus what refunds of such sales
gave back. Facts come in batches, in any order, repeated or at once: the same facts make the same tables and entries.
Redemptions alone book nothing: the sale that uses one does (finance.commands).
Source: regulations 3.0c (points earned, redeemed, expired), model 3.2, I28
"""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from psycopg import Cursor
from sqlalchemy import Connection, text

from finance import balances, journal, repository
from finance.booking import book_of
from finance.domain import points
from finance.domain.chart import Standard
from finance.domain.points import PointsExceedEarned, PointsNotTied, RedemptionLotsDiffer
from finance.subscriptions import (
    PointsEarned,
    PointsExpired,
    PointsRedeemed,
    PointsRestored,
    PointsTakenBack,
)
from shared.database import driver_of
from shared.events import Envelope
from shared.transaction import Tx

_LOCK = "select pg_advisory_xact_lock{}(hashtextextended('finance:points', 0))"
_OUTSTANDING = text(
    "select coalesce(sum((e.points - coalesce(t.points, 0) - coalesce(x.points, 0) - coalesce(u.points, 0))"
    " * e.fen_per_point), 0)::bigint from points_earned e"
    " left join (select sale_id, sum(points) as points from points_taken_back group by sale_id) t using (sale_id)"
    " left join (select sale_id, sum(points) as points from points_expired group by sale_id) x using (sale_id)"
    " left join (select l.sale_id, sum(l.points - l.given_back) as points from points_redemption_lots l"
    "  join points_uses using (redemption_id) group by l.sale_id) u using (sale_id)"
)
_ADD_EARNED = """
    insert into points_earned (sale_id, branch_id, points, fen_per_point, earned_on)
    select * from unnest(%s::uuid[], %s::text[], %s::bigint[], %s::int[], %s::date[])
    order by 1 on conflict (sale_id) do nothing
    returning sale_id, branch_id, points, fen_per_point, earned_on
"""
_ADD_TAKEN_BACK = """
    insert into points_taken_back (sale_id, return_id, branch_id, points, taken_on)
    select * from unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::date[])
    order by 1, 2 on conflict (sale_id, return_id) do nothing
    returning sale_id, return_id
"""
_ADD_EXPIRED = """
    insert into points_expired (expiry_id, sale_id, branch_id, points, expired_on)
    select * from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::date[])
    order by 1, 2 on conflict (expiry_id, sale_id) do nothing
    returning sale_id, expiry_id::text
"""
_GONE = """
    select t.sale_id, 'points_taken_back', t.return_id, t.branch_id, t.points, t.taken_on, e.points, e.fen_per_point
    from points_taken_back t join points_earned e using (sale_id) where t.sale_id = any(%(ids)s)
    union all
    select x.sale_id, 'points_expired', x.expiry_id::text, x.branch_id, x.points, x.expired_on, e.points,
        e.fen_per_point
    from points_expired x join points_earned e using (sale_id) where x.sale_id = any(%(ids)s)
    order by 1, 2, 3
"""
_ADD_REDEEMED = """
    insert into points_redemptions (redemption_id, customer_id, branch_id, receipt_number, points, value_fen,
        redeemed_on)
    select * from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::date[])
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
FOREVER = date(9999, 1, 1)

EARNED, TAKEN_BACK = "customers.points.earned.v1", "customers.points.taken_back.v1"
EXPIRED = "customers.points.expired.v1"


class _Gone(NamedTuple):
    """Points of a sale that are gone, and what the sale had earned."""

    sale_id: UUID
    kind: str
    cause: str
    branch_id: str
    points: int
    day: date
    earned: int
    fen_per_point: int


def on_moved(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Book what was earned, taken back and expired, a batch in a dozen statements whatever its size.

    What is gone is valued as it was earned; told before its sale it is kept, and booked with it. Two batches that
    tell of one sale must not miss each other: those that only earn share a lock that those that take away hold alone.
    Raises PointsExceedEarned, PeriodClosed.
    """
    told: dict[str, list[Envelope]] = {EARNED: [], TAKEN_BACK: [], EXPIRED: []}
    for envelope in envelopes:
        told[envelope.type].append(envelope)
    with driver_of(tx.conn) as driver:
        cursor = driver.cursor()
        cursor.execute(_LOCK.format("" if told[TAKEN_BACK] or told[EXPIRED] else "_shared"))
        earned = _add_earned(cursor, book_of(tx.conn).chart.standard, told[EARNED])
        new = _add_taken_back(cursor, told[TAKEN_BACK]) | _add_expired(cursor, told[EXPIRED])
        known = {row[0] for row in earned}
        ids = sorted(known | {sale_id for sale_id, _ in new})
        gone = [_Gone(*row) for row in cursor.execute(_GONE, {"ids": ids})] if ids else []
    _require_enough(gone)
    movements = [
        _Movement("points_earned", sale_id, branch, day, worth * value)
        for sale_id, branch, worth, value, day in earned
    ]
    movements += [
        _Movement(
            each.kind,
            _source(each.sale_id, each.cause),
            each.branch_id,
            each.day,
            each.points * each.fen_per_point,
        )
        for each in gone
        if each.sale_id in known or (each.sale_id, each.cause) in new
    ]
    _post(tx, movements)


def _add_earned(cursor: Cursor[Any], standard: Standard, told: Sequence[Envelope]) -> list[tuple[Any, ...]]:
    """(sale, branch, points, fen per point, day) of those not known before."""
    rows = []
    for envelope in told:
        event = msgspec.convert(envelope.data, PointsEarned)
        value = points.fen_per_point(standard, envelope.day)
        rows.append((event.sale_id, event.branch_id, event.points, value, envelope.day))
    return cursor.execute(_ADD_EARNED, _columns(rows)).fetchall() if rows else []


def _add_taken_back(cursor: Cursor[Any], told: Sequence[Envelope]) -> set[tuple[UUID, str]]:
    rows = []
    for envelope in told:
        event = msgspec.convert(envelope.data, PointsTakenBack)
        rows.append((event.sale_id, event.return_id, event.branch_id, event.points, envelope.day))
    return set(cursor.execute(_ADD_TAKEN_BACK, _columns(rows)).fetchall()) if rows else set()


def _add_expired(cursor: Cursor[Any], told: Sequence[Envelope]) -> set[tuple[UUID, str]]:
    rows = []
    for envelope in told:
        event = msgspec.convert(envelope.data, PointsExpired)
        rows += [
            (event.expiry_id, lot.sale_id, lot.branch_id, lot.points, event.expired_on) for lot in event.lots
        ]
    return set(cursor.execute(_ADD_EXPIRED, _columns(rows)).fetchall()) if rows else set()


def on_redeemed(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Keep for which receipts points were set aside, and which; nothing is booked. Raises RedemptionLotsDiffer."""
    events: dict[UUID, tuple[PointsRedeemed, date]] = {}
    for envelope in envelopes:
        event = msgspec.convert(envelope.data, PointsRedeemed)
        if sum(lot.points for lot in event.lots) != event.points:
            raise RedemptionLotsDiffer("the lots are not the points", redemption_id=str(event.redemption_id))
        events.setdefault(event.redemption_id, (event, envelope.day))
    rows = [
        (id_, one.customer_id, one.branch_id, one.receipt_number, one.points, one.value_fen, day)
        for id_, (one, day) in events.items()
    ]
    with driver_of(tx.conn) as driver:
        added = driver.execute(_ADD_REDEEMED, _columns(rows)).fetchall()
        lots = [
            (id_, no, lot.sale_id, lot.points)
            for (id_,) in added
            for no, lot in enumerate(events[id_][0].lots, 1)
        ]
        if lots:
            driver.execute(_ADD_LOTS, _columns(lots))


def on_restored(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Keep that redemptions went back, so that no sale uses them from now on; one that was used stays used."""
    rows = []
    for envelope in envelopes:
        event = msgspec.convert(envelope.data, PointsRestored)
        rows.append((event.redemption_id, event.cause, envelope.day))
    with driver_of(tx.conn) as driver:
        driver.execute(_ADD_RESTORED, _columns(rows))


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows turned into one array per column, for unnest."""
    return [list(column) for column in zip(*rows, strict=True)]


def _require_enough(gone: Sequence[_Gone]) -> None:
    for sale_id, of_sale in groupby(gone, key=lambda each: each.sale_id):
        every = list(of_sale)
        total = sum(each.points for each in every)
        if total > every[0].earned:
            raise PointsExceedEarned(
                f"the sale earned {every[0].earned} points", sale_id=str(sale_id), gone=total
            )


def _source(sale_id: UUID, return_id: str) -> UUID:
    """The same for every telling of the same fact."""
    return uuid5(NAMESPACE_URL, f"urn:apotheca:points:{sale_id}:{return_id}")


class _Movement(NamedTuple):
    kind: str
    source_id: UUID
    branch_id: str
    day: date
    value_fen: int


def _post(tx: Tx, movements: Sequence[_Movement]) -> None:
    """An entry each; those worth nothing have none."""
    worth = [each for each in movements if each.value_fen]
    if not worth:
        return
    chart = book_of(tx.conn).chart
    days = repository.booking_days(tx, {each.day for each in worth})
    journal.add_entries(
        tx,
        [
            journal.Entry(
                booked_on=days[each.day][0],
                branch_id=each.branch_id,
                kind=each.kind,
                source_id=str(each.source_id),
                postings=(points.earned if each.kind == "points_earned" else points.taken_back)(
                    chart, each.value_fen
                ),
                reference=days[each.day][1],
            )
            for each in worth
        ],
    )


def require_tied(conn: Connection, month: date) -> None:
    """A month closes only while the contract liability is what the points say. Raises PointsNotTied.

    Both are read in one snapshot, of a connection of its own: points of today are told while a month closes.
    """
    chart = book_of(conn).chart
    with conn.engine.connect().execution_options(isolation_level="REPEATABLE READ") as snapshot:
        promised = int(snapshot.execute(_OUTSTANDING).scalar_one())
        if "contract_liability" in chart.meanings:
            booked = -balances.balance(snapshot, chart.code("contract_liability"), None, until=FOREVER)
        else:
            booked = 0
        snapshot.rollback()
    if booked != promised:
        raise PointsNotTied(f"booked {booked} fen, promised {promised} fen")
