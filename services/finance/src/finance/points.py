"""Points as a contract liability: at every instant 2204 = Σ points not taken back × their value when earned.

Facts of one sale are kept apart by a lock on the sale, so they may come in any order, repeated or at once.
Source: regulations 3.0c (points earned), model 3.2, I28
"""

from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from sqlalchemy import Connection, text

from finance import balances, repository
from finance.booking import book_of
from finance.domain import points
from finance.domain.points import PointsExceedEarned, PointsNotTied
from finance.subscriptions import PointsEarned, PointsTakenBack
from shared.events import Envelope
from shared.transaction import Tx

_LOCK = text("select pg_advisory_xact_lock(hashtextextended('finance:points:' || :sale_id, 0))")
_OUTSTANDING = text(
    "select coalesce(sum((e.points - coalesce(t.points, 0)) * e.fen_per_point), 0)::bigint from points_earned e"
    " left join (select sale_id, sum(points) as points from points_taken_back group by sale_id) t using (sale_id)"
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
    earlier = tx.conn.execute(
        text("select return_id, branch_id, points, taken_on from points_taken_back where sale_id = :sale_id"),
        {"sale_id": event.sale_id},
    ).all()
    _require_enough(event.sale_id, event.points, sum(row.points for row in earlier))
    for row in earlier:
        source = _source(event.sale_id, row.return_id)
        _post(tx, "points_taken_back", source, row.branch_id, row.taken_on, row.points * value)


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
    earned = tx.conn.execute(
        text("select points, fen_per_point from points_earned where sale_id = :sale_id"), key
    ).one_or_none()
    if earned is None:
        return
    taken = tx.conn.execute(
        text("select sum(points)::bigint from points_taken_back where sale_id = :sale_id"), key
    ).scalar_one()
    _require_enough(event.sale_id, earned.points, taken)
    source = _source(event.sale_id, event.return_id)
    value_fen = event.points * earned.fen_per_point
    _post(tx, "points_taken_back", source, event.branch_id, envelope.day, value_fen)


def _require_enough(sale_id: UUID, earned: int, taken: int) -> None:
    if taken > earned:
        raise PointsExceedEarned(f"the sale earned {earned} points", sale_id=str(sale_id), taken=taken)


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
    """A month closes only while the contract liability is what the points say. Raises PointsNotTied."""
    chart = book_of(conn).chart
    promised = int(conn.execute(_OUTSTANDING).scalar_one())
    if "contract_liability" in chart.meanings:
        booked = -balances.balance(conn, chart.code("contract_liability"), None, until=FOREVER)
    else:
        booked = 0
    if booked != promised:
        raise PointsNotTied(f"booked {booked} fen, promised {promised} fen")
