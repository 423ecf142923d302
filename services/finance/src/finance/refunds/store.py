"""The statements that hold refunds, and what other areas read of what came back."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, text

RETURNED_LINES = (
    "(select f.refund_id, f.sale_id, f.branch_id, f.booked_on, b.no, b.sale_line_id, b.lot, b.quantity, b.net_fen, b.tax_fen,"
    " b.cost_fen, b.disposition from refunds f join refund_lines b on b.refund_id = f.refund_id)"
)
"""What came back of lines of sales, by the day it became owed."""
REFUNDED = "(select refund_id, sale_id, total_fen from refunds)"
"""What each refund of a sale came to."""


def hold(conn: Connection, refund_ids: Sequence[UUID]) -> list[UUID]:
    """Hold the refunds in the order of their ids, and say of which sales they are."""
    rows = conn.execute(
        text("select sale_id from refunds where refund_id = any(:ids) order by refund_id for update"),
        {"ids": list(refund_ids)},
    )
    return list(rows.scalars())


def sale_of(conn: Connection, refund_id: UUID) -> UUID | None:
    """The sale of a refund; None of one that is not there."""
    found: UUID | None = conn.execute(
        text("select sale_id from refunds where refund_id = :id"), {"id": refund_id}
    ).scalar_one_or_none()
    return found


def refunded_fen(conn: Connection, sale_id: UUID) -> int:
    """What refunds of a sale came to so far."""
    found = conn.execute(
        text("select coalesce(sum(total_fen), 0) from refunds where sale_id = :sale_id"), {"sale_id": sale_id}
    )
    return int(found.scalar_one())
