"""Points as a contract liability: at every instant 2204 = Σ points that are left × their value when earned.

Left is what was earned, less what was taken back, what expired and what paid sales, plus what refunds of such sales
gave back. Facts of one sale are kept apart by a lock on the sale, so they may come in any order, repeated or at once.
Redemptions alone book nothing: the sale that uses one does (finance.commands).
Source: regulations 3.0c (points earned, redeemed, expired), model 3.2, I28
"""

from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from sqlalchemy import Connection, text

from finance import balances, repository
from finance.booking import book_of
from finance.domain import points
from finance.domain.points import PointsExceedEarned, PointsNotTied, RedemptionLotsDiffer
from finance.subscriptions import (
    PointsEarned,
    PointsExpired,
    PointsRedeemed,
    PointsRestored,
    PointsTakenBack,
)
from shared.events import Envelope
from shared.transaction import Tx

_LOCK = text("select pg_advisory_xact_lock(hashtextextended('finance:points:' || :sale_id, 0))")
_OUTSTANDING = text(
    "select coalesce(sum((e.points - coalesce(t.points, 0) - coalesce(x.points, 0) - coalesce(u.points, 0))"
    " * e.fen_per_point), 0)::bigint from points_earned e"
    " left join (select sale_id, sum(points) as points from points_taken_back group by sale_id) t using (sale_id)"
    " left join (select sale_id, sum(points) as points from points_expired group by sale_id) x using (sale_id)"
    " left join (select l.sale_id, sum(l.points - l.given_back) as points from points_redemption_lots l"
    "  join points_uses using (redemption_id) group by l.sale_id) u using (sale_id)"
)
_GONE = text(
    "select 'points_taken_back' as kind, return_id as cause, branch_id, points, taken_on as day"
    " from points_taken_back where sale_id = :sale_id union all"
    " select 'points_expired', expiry_id::text, branch_id, points, expired_on"
    " from points_expired where sale_id = :sale_id"
)
FOREVER = date(9999, 1, 1)


def on_earned(tx: Tx, envelope: Envelope) -> None:
    """Book what a sale's points are worth, and what was taken back of them before we heard of them."""
    event = msgspec.convert(envelope.data, PointsEarned)
    tx.conn.execute(_LOCK, {"sale_id": str(event.sale_id)})
    chart = book_of(tx.conn).chart
    value = points.fen_per_point(chart.standard, envelope.day)
    added = tx.conn.execute(
        text(
            "insert into points_earned (sale_id, branch_id, points, fen_per_point, earned_on)"
            " values (:sale_id, :branch_id, :points, :value, :day) on conflict (sale_id) do nothing"
        ),
        {
            "sale_id": event.sale_id,
            "branch_id": event.branch_id,
            "points": event.points,
            "value": value,
            "day": envelope.day,
        },
    )
    if not added.rowcount:
        return
    _post(tx, "points_earned", event.sale_id, event.branch_id, envelope.day, event.points * value)
    earlier = tx.conn.execute(_GONE, {"sale_id": event.sale_id}).all()
    _require_enough(event.sale_id, event.points, sum(row.points for row in earlier))
    for row in earlier:
        source = _source(event.sale_id, row.cause)
        _post(tx, row.kind, source, row.branch_id, row.day, row.points * value)


def on_taken_back(tx: Tx, envelope: Envelope) -> None:
    """Book what a refund takes back, at the value the points were earned at; or keep it until that is known."""
    event = msgspec.convert(envelope.data, PointsTakenBack)
    tx.conn.execute(_LOCK, {"sale_id": str(event.sale_id)})
    key = {"sale_id": event.sale_id, "return_id": event.return_id}
    added = tx.conn.execute(
        text(
            "insert into points_taken_back (sale_id, return_id, branch_id, points, taken_on)"
            " values (:sale_id, :return_id, :branch_id, :points, :day) on conflict (sale_id, return_id) do nothing"
        ),
        {**key, "branch_id": event.branch_id, "points": event.points, "day": envelope.day},
    )
    if not added.rowcount:
        return
    _post_gone(
        tx, "points_taken_back", event.sale_id, event.return_id, event.branch_id, envelope.day, event.points
    )


def on_redeemed(tx: Tx, envelope: Envelope) -> None:
    """Keep for which receipt points were set aside, and which; nothing is booked."""
    event = msgspec.convert(envelope.data, PointsRedeemed)
    if sum(lot.points for lot in event.lots) != event.points:
        raise RedemptionLotsDiffer("the lots are not the points", redemption_id=str(event.redemption_id))
    added = tx.conn.execute(
        text(
            "insert into points_redemptions (redemption_id, customer_id, branch_id, receipt_number, points,"
            " value_fen, redeemed_on) values (:id, :customer_id, :branch_id, :receipt_number, :points, :value_fen,"
            " :day) on conflict (redemption_id) do nothing"
        ),
        {
            "id": event.redemption_id,
            "customer_id": event.customer_id,
            "branch_id": event.branch_id,
            "receipt_number": event.receipt_number,
            "points": event.points,
            "value_fen": event.value_fen,
            "day": envelope.day,
        },
    )
    if added.rowcount:
        tx.conn.execute(
            text(
                "insert into points_redemption_lots (redemption_id, no, sale_id, points)"
                " values (:id, :no, :sale_id, :points)"
            ),
            [
                {"id": event.redemption_id, "no": no, "sale_id": lot.sale_id, "points": lot.points}
                for no, lot in enumerate(event.lots, 1)
            ],
        )


def on_restored(tx: Tx, envelope: Envelope) -> None:
    """Keep that a redemption went back, so that no sale uses it from now on; one that was used stays used."""
    event = msgspec.convert(envelope.data, PointsRestored)
    tx.conn.execute(
        text(
            "insert into points_restorations (redemption_id, cause, restored_on) values (:id, :cause, :day)"
            " on conflict (redemption_id) do nothing"
        ),
        {"id": event.redemption_id, "cause": event.cause, "day": envelope.day},
    )


def on_expired(tx: Tx, envelope: Envelope) -> None:
    """Book what expired as revenue, at the value the points were earned at; or keep it until that is known."""
    event = msgspec.convert(envelope.data, PointsExpired)
    for lot in sorted(event.lots, key=lambda each: each.sale_id):
        tx.conn.execute(_LOCK, {"sale_id": str(lot.sale_id)})
        added = tx.conn.execute(
            text(
                "insert into points_expired (expiry_id, sale_id, branch_id, points, expired_on)"
                " values (:id, :sale_id, :branch_id, :points, :day) on conflict (expiry_id, sale_id) do nothing"
            ),
            {
                "id": event.expiry_id,
                "sale_id": lot.sale_id,
                "branch_id": lot.branch_id,
                "points": lot.points,
                "day": event.expired_on,
            },
        )
        if added.rowcount:
            cause = str(event.expiry_id)
            _post_gone(tx, "points_expired", lot.sale_id, cause, lot.branch_id, event.expired_on, lot.points)


def _post_gone(tx: Tx, kind: str, sale_id: UUID, cause: str, branch_id: str, day: date, gone: int) -> None:
    """Book points of a sale that are gone, once we know what they were earned at. The sale is locked."""
    key = {"sale_id": sale_id}
    earned = tx.conn.execute(
        text("select points, fen_per_point from points_earned where sale_id = :sale_id"), key
    ).one_or_none()
    if earned is None:
        return
    _require_enough(sale_id, earned.points, sum(row.points for row in tx.conn.execute(_GONE, key)))
    _post(tx, kind, _source(sale_id, cause), branch_id, day, gone * earned.fen_per_point)


def _require_enough(sale_id: UUID, earned: int, gone: int) -> None:
    if gone > earned:
        raise PointsExceedEarned(f"the sale earned {earned} points", sale_id=str(sale_id), gone=gone)


def _source(sale_id: UUID, return_id: str) -> UUID:
    """The same for every telling of the same fact."""
    return uuid5(NAMESPACE_URL, f"urn:apotheca:points:{sale_id}:{return_id}")


def _post(tx: Tx, kind: str, source: UUID, branch_id: str, day: date, value_fen: int) -> None:
    if not value_fen:
        return
    booked_on, reference = repository.booking_day(tx, day)
    rule = points.earned if kind == "points_earned" else points.taken_back
    repository.add_entry(
        tx,
        booked_on=booked_on,
        branch_id=branch_id,
        kind=kind,
        source_id=str(source),
        postings=rule(book_of(tx.conn).chart, value_fen),
        customer_id=None,
        reference=reference,
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
