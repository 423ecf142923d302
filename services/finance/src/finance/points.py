"""Points as a contract liability: at every instant 2204 = Σ points that are left × their value when earned.

Left is what was earned, less what was taken back, what expired and what paid sales, plus what refunds of such sales
gave back, and corrected by what makes lost events good. Facts come in batches, in any order, repeated or at once: the
same facts make the same tables and entries.
Redemptions alone book nothing: the sale that uses one does (finance.commands).
Source: regulations 3.0c (points earned, redeemed, expired), model 3.2, I28
"""

from collections.abc import Iterator, Sequence
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
from finance.domain.points import PointsExceedEarned, PointsNotTied, RedemptionLotsDiffer
from finance.kernel.chart import Standard
from finance.subscriptions import (
    PointsCorrected,
    PointsEarned,
    PointsExpired,
    PointsRedeemed,
    PointsRestored,
    PointsTakenBack,
)
from shared.clock import business_date
from shared.database import driver_of
from shared.events import Envelope
from shared.languages import Text
from shared.service import LostEvent
from shared.transaction import Tx

_LOCK = "select pg_advisory_xact_lock{}(hashtextextended('finance:points', 0))"
_OUTSTANDING = text(
    "select coalesce(sum((e.points - coalesce(t.points, 0) - coalesce(x.points, 0) - coalesce(u.points, 0)"
    " + coalesce(c.points, 0)) * e.fen_per_point), 0)::bigint from points_earned e"
    " left join (select sale_id, sum(points) as points from points_corrections group by sale_id) c using (sale_id)"
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
FOREVER = date(9999, 1, 1)

EARNED, TAKEN_BACK = "customers.points.earned.v1", "customers.points.taken_back.v1"
EXPIRED, CORRECTED = "customers.points.expired.v1", "customers.points.corrected.v1"


class _Gone(NamedTuple):
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


def on_moved(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Book what was earned, taken back, expired and corrected, a batch in a dozen statements whatever its size.

    What is gone is valued as it was earned; told before its sale it is kept, and booked with it. Two batches that
    tell of one sale must not miss each other: those that only earn share a lock that those that take away hold alone.
    Raises PointsExceedEarned, PeriodClosed.
    """
    told: dict[str, list[Envelope]] = {EARNED: [], TAKEN_BACK: [], EXPIRED: [], CORRECTED: []}
    for envelope in envelopes:
        told[envelope.type].append(envelope)
    with driver_of(tx.conn) as driver:
        cursor = driver.cursor()
        cursor.execute(_LOCK.format("_shared" if len(told[EARNED]) == len(envelopes) else ""))
        earned = _add_earned(cursor, book_of(tx.conn).chart.standard, told[EARNED])
        new = _add_taken_back(cursor, told[TAKEN_BACK]) | _add_expired(cursor, told[EXPIRED])
        new |= _add_corrected(cursor, told[CORRECTED])
        known = {row[0] for row in earned}
        ids = sorted(known | {sale_id for sale_id, _ in new})
        gone = [_Gone(*row) for row in cursor.execute(_GONE, {"ids": ids})] if ids else []
    _require_enough(gone)
    movements = [
        _Movement("points_earned", sale_id, branch, day, worth * value)
        for sale_id, branch, worth, value, day in earned
    ]
    movements += [
        _movement_of(each) for each in gone if each.sale_id in known or (each.sale_id, each.cause) in new
    ]
    _post(tx, movements)


def _movement_of(each: _Gone) -> "_Movement":
    source_id = _source(each.sale_id, each.cause)
    return _Movement(each.kind, source_id, each.branch_id, each.day, -each.points * each.fen_per_point)


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
        what = (event.sale_id, event.return_id, event.branch_id, event.points)
        rows.append((*what, envelope.day, envelope.event_id))
    return set(cursor.execute(_ADD_TAKEN_BACK, _columns(rows)).fetchall()) if rows else set()


def _add_expired(cursor: Cursor[Any], told: Sequence[Envelope]) -> set[tuple[UUID, str]]:
    rows = []
    for envelope in told:
        event = msgspec.convert(envelope.data, PointsExpired)
        rows += [
            (event.expiry_id, lot.sale_id, lot.branch_id, lot.points, event.expired_on, envelope.event_id)
            for lot in event.lots
        ]
    return set(cursor.execute(_ADD_EXPIRED, _columns(rows)).fetchall()) if rows else set()


def _add_corrected(cursor: Cursor[Any], told: Sequence[Envelope]) -> set[tuple[UUID, str]]:
    rows = []
    for envelope in told:
        event = msgspec.convert(envelope.data, PointsCorrected)
        what = (event.lost_event_id, event.sale_id, event.branch_id, event.return_id, event.points)
        rows.append((*what, envelope.day))
    return set(cursor.execute(_ADD_CORRECTED, _columns(rows)).fetchall()) if rows else set()


def withdraw(tx: Tx, lost: Sequence[LostEvent]) -> Iterator[dict[str, Any]]:
    """Make good what customers said of points and its log has lost.

    What it took back or let expire it will tell again under other events: it is given back by entries of today. A
    redemption that no sale used goes back; one that was used stays, because we are its judge, and customers takes
    it over from the sale. What sales earned is told again as it was, and is booked once.
    """
    gone = {each.event_id: each.seq for each in lost if each.comes_again_as is None}
    if not gone:
        return
    given = {"lost": list(gone), "today": business_date(tx.now)}
    with driver_of(tx.conn) as driver:
        cursor = driver.cursor()
        cursor.execute(_LOCK.format(""))
        rows = [(*row, given["today"]) for row in cursor.execute(_LOST, given)]
        new = set(cursor.execute(_ADD_CORRECTED, _columns(rows)).fetchall()) if rows else set()
        ids = sorted({row[1] for row in rows})
        every = [_Gone(*row) for row in cursor.execute(_GONE, {"ids": ids})] if ids else []
        given_up = [row[0] for row in cursor.execute(_GIVE_UP, given)]
        used = cursor.execute(_USED_AND_LOST, given).fetchall()
    corrections = [each for each in every if (each.sale_id, each.cause) in new]
    _post(tx, [_movement_of(each) for each in corrections if each.kind == "points_corrected"])
    for event_id, sale_id, _, _, worth, _ in rows:
        yield {
            "given_back": "points",
            "sale_id": str(sale_id),
            "points": worth,
            "caused_by_seq": gone[event_id],
        }
    for redemption_id in given_up:
        yield {"given_up": "redemption", "redemption_id": redemption_id}
    for redemption_id, sale_id, worth, customer_id in used:
        told = {
            "redemption_id": redemption_id,
            "sale_id": sale_id,
            "points": worth,
            "customer_id": customer_id,
        }
        yield {"stays": "redemption used", **told}


def on_redeemed(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Keep for which receipts points were set aside, and which; nothing is booked. Raises RedemptionLotsDiffer."""
    events: dict[UUID, tuple[PointsRedeemed, Envelope]] = {}
    for envelope in envelopes:
        event = msgspec.convert(envelope.data, PointsRedeemed)
        if sum(lot.points for lot in event.lots) != event.points:
            raise RedemptionLotsDiffer("the lots are not the points", redemption_id=str(event.redemption_id))
        events.setdefault(event.redemption_id, (event, envelope))
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
        for id_, (one, of) in events.items()
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


def _return_of(each: _Gone) -> str:
    return each.return_id or ""


def _taken_for(of_return: Sequence[_Gone]) -> int:
    """What stays taken for one return: it is taken again after a correction, which may come later than that."""
    taken = [each.points for each in of_return if each.kind == "points_taken_back"]
    corrections = len(of_return) - len(taken)
    return max(taken) if len(taken) > corrections else 0


def _source(sale_id: UUID, cause: str) -> UUID:
    """The same for every telling of the same fact."""
    return uuid5(NAMESPACE_URL, f"urn:apotheca:points:{sale_id}:{cause}")


class _Movement(NamedTuple):
    kind: str
    source_id: UUID
    branch_id: str
    day: date
    value_fen: int
    """What the liability grows by."""


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
                postings=(points.earned if each.value_fen > 0 else points.taken_back)(
                    chart, abs(each.value_fen)
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
        raise PointsNotTied(
            Text("booked {booked} fen, promised {promised} fen", booked=booked, promised=promised)
        )
