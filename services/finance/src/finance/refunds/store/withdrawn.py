"""The statements that find and withdraw refunds whose cause was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Connection, delete, text

from finance.refunds.store.held import LIVE
from finance.refunds.tables import refund_tenders


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The refund of a return that finance has heard of; `last_no` is the number of its last line."""

    refund_id: UUID
    return_id: str
    state: str
    version: int
    total_fen: int
    cause_lost_on: date | None
    last_no: int


def known(conn: Connection, return_ids: Sequence[str]) -> dict[str, Known]:
    """The refunds of these returns. Their sales are locked, so nobody withdraws them meanwhile."""
    rows = conn.execute(
        text(
            "select refund_id, return_id, state, version, total_fen, cause_lost_on, case when state = 'withdrawn'"
            " then (select max(no) from refund_lines b where b.refund_id = r.refund_id) else 0 end as last_no"
            " from refunds r where return_id = any(:ids)"
        ),
        {"ids": list(return_ids)},
    ).mappings()
    return {row["return_id"]: Known(**row) for row in rows}


def sales_of_causes(conn: Connection, events: Sequence[UUID]) -> list[UUID]:
    """The sales of the refunds that these events caused."""
    rows = conn.execute(
        text("select distinct sale_id from refunds where cause_event_id = any(:events)"),
        {"events": list(events)},
    )
    return list(rows.scalars())


def hold_of_causes(conn: Connection, events: Sequence[UUID]) -> dict[UUID, UUID]:
    """The refunds that these events caused, held in the order of their ids, each with its event."""
    rows = conn.execute(
        text(
            "select refund_id, cause_event_id from refunds where cause_event_id = any(:events)"
            " order by refund_id for update"
        ),
        {"events": list(events)},
    )
    return {row.refund_id: row.cause_event_id for row in rows}


def take_back(conn: Connection, refund_id: UUID, booked_on: date) -> None:
    """Beside the lines that the refund is of, lines that take them back."""
    conn.execute(
        text(
            "insert into refund_lines (refund_id, no, return_line_id, sale_line_id, lot, quantity, net_fen, tax_fen,"
            " cost_fen, disposition, booked_on) select b.refund_id, (select max(no) from refund_lines"
            " where refund_id = :id) + row_number() over (order by b.no), b.return_line_id, b.sale_line_id, b.lot,"
            " -b.quantity, -b.net_fen, -b.tax_fen, -b.cost_fen, b.disposition, :day"
            f" from refund_lines b where b.refund_id = :id and {LIVE}"
        ),
        {"id": refund_id, "day": booked_on},
    )


def forget_tenders(conn: Connection, refund_id: UUID) -> None:
    """It is withdrawn, and owed to none of them."""
    conn.execute(delete(refund_tenders).where(refund_tenders.c.refund_id == refund_id))


def source_of(refund_id: UUID, event_id: UUID) -> UUID:
    """The source of an entry of the refund that is not its first: what this event did to it."""
    return uuid5(NAMESPACE_URL, f"urn:apotheca:refund:{refund_id}:{event_id}")
