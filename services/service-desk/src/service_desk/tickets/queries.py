"""What is read of tickets, limited to the branches of the token."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Subquery, select

from service_desk import known
from service_desk.tickets import store, tables
from shared import holidays
from shared.calendar import Calendar
from shared.clock import business_date
from shared.languages import Text
from shared.lots import canonical
from shared.paging import newest_first
from shared.transaction import Tx

STEPS_SHOWN_MAX = 500
LISTED = (*store.HEAD, "state", "cycle", "handler", "received_at", "resolved_at")


def get_ticket(tx: Tx, ticket_id: UUID) -> dict[str, Any]:
    """A ticket with its clocks, its history, and what is known of the sale and return it names.

    `lot_in_sale` is None when the sale is unknown here (or no lot is named): the projection may lag behind. A
    sale or return of a branch that the token does not cover is as good as unknown.
    Raises TicketNotFound, ForeignBranch.
    """
    sale, outcome = known.sales(), known.return_outcomes()
    row = (
        tx.conn.execute(
            select(
                tables.tickets,
                sale.c.lots.label("sold_lots"),
                sale.c.branch_id.label("sale_branch_id"),
                outcome.c.branch_id.label("return_branch_id"),
                outcome.c.outcome.label("return_outcome"),
                outcome.c.cause.label("return_cause"),
            )
            .outerjoin(sale, sale.c.sale_id == tables.tickets.c.sale_id)
            .outerjoin(outcome, outcome.c.return_id == tables.tickets.c.return_id)
            .where(tables.tickets.c.id == ticket_id)
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise store.TicketNotFound(Text("no ticket {ticket_id}", ticket_id=ticket_id))
    tx.actor.require_branch(row["branch_id"])
    view = dict(row)
    sold, sale_branch = view.pop("sold_lots"), view.pop("sale_branch_id")
    view["sale_is_known"] = sale_branch is not None and tx.actor.may_see(sale_branch)
    if not view["sale_is_known"]:
        sold = None
    if not tx.actor.may_see(view.pop("return_branch_id")):
        view["return_outcome"] = view["return_cause"] = None
    view["lot_in_sale"] = (
        None
        if sold is None or view["lot"] is None
        else canonical(view["lot"]) in {canonical(lot) for _, lot in sold}
    )
    view["clocks"] = _clocks(tx, ticket_id)
    view["steps"] = _steps(tx, ticket_id)
    return view


def list_tickets(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """Newest first. `filters` may name branch_id, state, kind, customer_id, beside limit and cursor."""
    rows = tables.tickets.c
    query = select(*(rows[name] for name in LISTED)).where(
        *(rows[name] == filters[name] for name in ("state", "kind", "customer_id") if filters.get(name))
    )
    return newest_first(tx, query, rows.id, filters, rows.branch_id)


def list_escalations(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """Those nobody has acknowledged, newest first."""
    rows = tables.escalations.c
    query = select(tables.escalations).where(rows.acknowledged_at.is_(None))
    return newest_first(tx, query, rows.id, filters, rows.branch_id)


def get_escalation(tx: Tx, escalation_id: UUID) -> dict[str, Any]:
    return dict(
        tx.conn.execute(select(tables.escalations).where(tables.escalations.c.id == escalation_id))
        .mappings()
        .one()
    )


def _clocks(tx: Tx, ticket_id: UUID) -> list[dict[str, Any]]:
    rows = tx.conn.execute(
        select(tables.clocks)
        .where(tables.clocks.c.ticket_id == ticket_id)
        .order_by(tables.clocks.c.cycle, tables.clocks.c.name)
    ).mappings()
    calendar = holidays.calendar(tx.conn)
    return [{**row, **_reading(row, tx.now, calendar)} for row in rows]


def _reading(clock: RowMapping, now: datetime, calendar: Calendar) -> dict[str, Any]:
    """Whether it is in time, and how many seconds are left (negative: late); what it waits for without a due moment."""
    if clock["due_at"] is None:
        year = calendar.awaited_year(business_date(clock["started_at"]))
        return {"is_late": None, "left_s": None, "awaits_calendar_of": year}
    left = clock["due_at"] - (clock["stopped_at"] or now)
    return {"is_late": left < timedelta(), "left_s": left // timedelta(seconds=1), "awaits_calendar_of": None}


def _steps(tx: Tx, ticket_id: UUID) -> list[dict[str, Any]]:
    rows = tx.conn.execute(
        select(tables.ticket_steps)
        .where(tables.ticket_steps.c.ticket_id == ticket_id)
        .order_by(tables.ticket_steps.c.no)
        .limit(STEPS_SHOWN_MAX)
    ).mappings()
    return [dict(row) for row in rows]


def entered() -> Subquery:
    """What the feedback ledger tells of the tickets of its entries, as a query to join by `id`."""
    told = (
        "number",
        "severity",
        "customer_id",
        "product_id",
        "lot",
        "state",
        "cause",
        "fault",
        "resolved_at",
    )
    return select(tables.tickets.c.id, *(tables.tickets.c[name] for name in told)).subquery("ticket")
