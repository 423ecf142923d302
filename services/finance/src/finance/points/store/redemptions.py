"""Find the redemption a receipt names, use it once, and give its points back when goods come back.

Source: C38, F22, I13
"""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from finance.kernel.chart import Chart
from finance.kernel.posting import PostingLine
from finance.kernel.receipt import Payment
from finance.points import rules
from finance.points.model import RestoredPoints
from finance.points.rules import Consumed, Redemption, RedemptionUsed
from finance.points.tables import points_uses
from shared import watermark
from shared.transaction import Tx

_FIND = text(
    "select r.redemption_id, r.customer_id, r.branch_id, r.receipt_number, r.points, r.value_fen,"
    " x.cause as restored_cause, u.sale_id as used_by from points_redemptions r"
    " left join points_restorations x using (redemption_id) left join points_uses u using (redemption_id)"
    " where r.redemption_id = :id"
)
_LOTS = text(
    "select l.sale_id, l.points, e.fen_per_point from points_redemption_lots l"
    " left join points_earned e using (sale_id) where l.redemption_id = :id order by l.no"
)


def find(conn: Connection, redemption_id: UUID) -> Redemption | None:
    """What is known of it now; None when customers has not told us of it."""
    row = conn.execute(_FIND, {"id": redemption_id}).mappings().one_or_none()
    return None if row is None else Redemption(**row, lots=lots_of(conn, redemption_id))


def lock(conn: Connection, payment: Payment) -> None:
    """Let sales with one redemption follow each other, so that the second sees the receipt of the first."""
    conn.execute(
        text("select 1 from points_redemptions where redemption_id = :id for update"),
        {"id": payment.redemption_id},
    )


def is_caught_up(tx: Tx, redemption_id: UUID) -> bool:
    """Whether customers has nothing left to tell us of a redemption that we do not know.

    A till posts its receipt within moments. An id from the future or of another make is nobody's.
    """
    return watermark.is_caught_up(
        tx.conn, "customers", now=tx.now, types=["customers.points.redeemed.v1"], about=redemption_id
    )


def lots_of(conn: Connection, redemption_id: UUID) -> list[Consumed]:
    """The lots, the first consumed first; without a value while we have not heard that they were earned."""
    return [Consumed(*row) for row in conn.execute(_LOTS, {"id": redemption_id})]


def redeem(conn: Connection, redemption_id: UUID, sale_id: str, used_on: date) -> None:
    """Bind the redemption to the sale for good. Raises RedemptionUsed when another sale was first."""
    added = conn.execute(
        insert(points_uses)
        .values(redemption_id=redemption_id, sale_id=UUID(sale_id), used_on=used_on)
        .on_conflict_do_nothing()
    )
    if not added.rowcount:
        raise RedemptionUsed("another sale used these points", redemption_id=str(redemption_id))


class GivenBack(Struct, frozen=True):
    """What one refund gives back in points; `postings` pay its part of refunds payable."""

    redemption_id: UUID
    points: int
    postings: Sequence[PostingLine]


def give_back(conn: Connection, chart: Chart, *, refund_id: UUID, sale_id: UUID, fen: int) -> GivenBack:
    """Give back the points that paid `fen` of what a refund pays; refunds of one sale wait for one another here.

    Rounding: whole points, down on the cumulative amount, so that a full refund gives back exactly what was
    redeemed; what a fen is short or over goes to revenue. The last consumed come back first, at the value they
    were earned at. Precondition: points paid the sale, and at least `fen` of them is not refunded.
    """
    row = conn.execute(
        text(
            "select u.redemption_id, r.value_fen from points_uses u join points_redemptions r using (redemption_id)"
            " where u.sale_id = :sale_id for update of u"
        ),
        {"sale_id": sale_id},
    ).one()
    key = {"id": row.redemption_id}
    before = conn.execute(
        text(
            "select coalesce(sum(fen), 0)::bigint from points_given_back"
            " where redemption_id = :id and refund_id <> :refund_id"
        ),
        {**key, "refund_id": refund_id},
    ).scalar_one()
    back = rules.give_back(lots_of(conn, row.redemption_id), row.value_fen, before_fen=before, refund_fen=fen)
    conn.execute(
        text(
            "insert into points_given_back (refund_id, redemption_id, fen, points)"
            " values (:refund_id, :id, :fen, :points)"
        ),
        {**key, "refund_id": refund_id, "fen": fen, "points": back.points},
    )
    conn.execute(
        text(
            "update points_redemption_lots set given_back = :given_back where redemption_id = :id and no = :no"
        ),
        [{**key, "no": no, "given_back": each} for no, each in enumerate(back.lots, 1)],
    )
    return GivenBack(row.redemption_id, back.points, rules.paid_back(chart, fen, back.liability_fen))


def hold(conn: Connection, sale_ids: Collection[UUID]) -> None:
    """Hold what refunds of these sales may give back in points, in one order, so that two never wait for each other."""
    conn.execute(
        text("select 1 from points_uses where sale_id = any(:ids) order by redemption_id for update"),
        {"ids": list(sale_ids)},
    )


def redemption_of(conn: Connection, sale_id: UUID) -> UUID | None:
    """The redemption that paid a part of the sale, if any did."""
    found: UUID | None = conn.execute(
        text("select redemption_id from points_uses where sale_id = :sale_id"), {"sale_id": sale_id}
    ).scalar_one_or_none()
    return found


def told(conn: Connection, refund_id: UUID) -> dict[str, RestoredPoints]:
    """What the event of a paid refund adds to its tender `points`."""
    row = conn.execute(
        text("select redemption_id, points from points_given_back where refund_id = :id"), {"id": refund_id}
    ).one_or_none()
    return {} if row is None else {"points": {"points": row.points, "redemption_id": str(row.redemption_id)}}
