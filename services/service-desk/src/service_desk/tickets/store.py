"""The statements that change tickets; all within the caller's transaction."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from service_desk.kernel.vocabulary import Cause, Channel, ClockName, Fault, Kind, Severity
from service_desk.tickets import tables
from service_desk.tickets.model.states import Reporter, State
from service_desk.tickets.model.ticket import Ticket
from service_desk.tickets.rules import Clock
from shared import holidays
from shared.clock import business_date, new_id
from shared.errors import NotFound
from shared.languages import Text
from shared.transaction import Tx

CLOCKS_AT_ONCE_MAX = 200
_CHANGING = (
    "state",
    "cycle",
    "handler",
    "handler_role",
    "assigned_at",
    "contacted_at",
    "resolved_at",
    "cause",
    "fault",
    "failed_contacts",
    "version",
)
HEAD = ("id", "number", "kind", "channel", "branch_id", "customer_id", "severity")
"""Columns of what a ticket is and whose, wherever it is read."""
_TICKET_FIELDS = [
    *HEAD,
    "reporter",
    "received_at",
    *_CHANGING,
]


class TicketNotFound(NotFound):
    code = "ticket_not_found"
    cure = "Look it up in the list of tickets."


class EscalationNotFound(NotFound):
    code = "escalation_not_found"
    cure = "Look it up in the list of escalations."


def next_ticket_number(tx: Tx, branch_id: str, received_at: datetime) -> str:
    """`TK-<branch>-<year>-NNNNNN`, without gaps: openers of one branch queue on its counter until commit."""
    year = business_date(received_at).year
    statement = upsert(tables.ticket_counters).values(branch_id=branch_id, year=year, last=1)
    last = tx.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["branch_id", "year"], set_={"last": tables.ticket_counters.c.last + 1}
        ).returning(tables.ticket_counters.c.last)
    ).scalar_one()
    return f"TK-{branch_id}-{year}-{last:06d}"


def add_ticket(tx: Tx, ticket: Ticket, more: Mapping[str, Any]) -> None:
    """`more` holds what the rules do not look at: subject, text, references to sale, product, lot, return."""
    tx.conn.execute(
        insert(tables.tickets).values(
            **{name: getattr(ticket, name) for name in _TICKET_FIELDS},
            recorded_at=tx.now,
            recorded_by=tx.actor.id,
            **more,
        )
    )
    _save_clocks(tx, ticket)


def lock(tx: Tx, ticket_id: UUID) -> Ticket:
    """The ticket, held against other writers until this transaction ends. Raises TicketNotFound."""
    row = (
        tx.conn.execute(
            select(*(tables.tickets.c[name] for name in _TICKET_FIELDS))
            .where(tables.tickets.c.id == ticket_id)
            .with_for_update()
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise TicketNotFound(Text("no ticket {ticket_id}", ticket_id=ticket_id))
    ticket = Ticket(
        **{
            **row,
            "kind": Kind(row["kind"]),
            "channel": Channel(row["channel"]),
            "severity": Severity(row["severity"]),
            "reporter": Reporter(row["reporter"]),
            "state": State(row["state"]),
            "cause": Cause(row["cause"]) if row["cause"] else None,
            "fault": Fault(row["fault"]) if row["fault"] else None,
            "holidays": holidays.in_force(tx.conn),
        }
    )
    ticket.clocks = _clocks_of(tx, ticket)
    return ticket


def save_ticket(tx: Tx, ticket: Ticket) -> None:
    """Store what changed; the caller holds the row."""
    changing = {name: getattr(ticket, name) for name in _CHANGING}
    tx.conn.execute(update(tables.tickets).where(tables.tickets.c.id == ticket.id).values(changing))
    _save_clocks(tx, ticket)


def link_return(tx: Tx, ticket_id: UUID, return_id: str) -> None:
    tx.conn.execute(
        update(tables.tickets).where(tables.tickets.c.id == ticket_id).values(return_id=return_id)
    )


def add_step(
    tx: Tx, ticket: Ticket, action: str, *, detail: Mapping[str, Any] | None = None, note: str | None = None
) -> None:
    """Append to the ticket's history; the caller holds the ticket, so numbers have no gaps."""
    last = select(func.coalesce(func.max(tables.ticket_steps.c.no), 0) + 1).where(
        tables.ticket_steps.c.ticket_id == ticket.id
    )
    tx.conn.execute(
        insert(tables.ticket_steps).values(
            ticket_id=ticket.id,
            no=last.scalar_subquery(),
            cycle=ticket.cycle,
            action=action,
            state=ticket.state,
            actor=tx.actor.id,
            at=tx.now,
            detail=dict(detail or {}),
            note=note,
        )
    )


def add_escalation(tx: Tx, ticket: Ticket, *, cause: str, to_role: str) -> None:
    tx.conn.execute(
        insert(tables.escalations).values(
            id=new_id(),
            ticket_id=ticket.id,
            branch_id=ticket.branch_id,
            cause=cause,
            to_role=to_role,
            raised_at=tx.now,
        )
    )


def lock_escalation(tx: Tx, escalation_id: UUID) -> Mapping[str, Any]:
    """Raises EscalationNotFound."""
    row = (
        tx.conn.execute(
            select(tables.escalations).where(tables.escalations.c.id == escalation_id).with_for_update()
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise EscalationNotFound(Text("no escalation {escalation_id}", escalation_id=escalation_id))
    return dict(row)


def acknowledge_escalation(tx: Tx, escalation_id: UUID) -> None:
    tx.conn.execute(
        update(tables.escalations)
        .where(tables.escalations.c.id == escalation_id)
        .values(acknowledged_by=tx.actor.id, acknowledged_at=tx.now)
    )


def find_overdue(tx: Tx) -> list[tuple[UUID, ClockName]]:
    """Running clocks past due that nobody has told of, at most CLOCKS_AT_ONCE_MAX, oldest first."""
    rows = tx.conn.execute(
        select(tables.clocks.c.ticket_id, tables.clocks.c.name)
        .where(
            tables.clocks.c.stopped_at.is_(None),
            tables.clocks.c.breached_at.is_(None),
            tables.clocks.c.due_at < tx.now,
        )
        .order_by(tables.clocks.c.due_at)
        .limit(CLOCKS_AT_ONCE_MAX)
    )
    return [(row.ticket_id, ClockName(row.name)) for row in rows]


def find_to_date(tx: Tx, calendar_no: int) -> list[UUID]:
    """Tickets with a running clock whose due moment is not told by all notices up to `calendar_no`.

    Those that the calendar could not tell yet come last.
    """
    return list(
        tx.conn.execute(
            select(tables.clocks.c.ticket_id)
            .where(
                tables.clocks.c.stopped_at.is_(None),
                tables.clocks.c.breached_at.is_(None),
                tables.clocks.c.name == ClockName.RESOLUTION,
                (tables.clocks.c.calendar_no < calendar_no) | tables.clocks.c.due_at.is_(None),
            )
            .order_by(tables.clocks.c.due_at.nulls_last(), tables.clocks.c.started_at)
            .limit(CLOCKS_AT_ONCE_MAX)
        ).scalars()
    )


def _clocks_of(tx: Tx, ticket: Ticket) -> dict[ClockName, Clock]:
    """The 24-hour clock, and the present cycle's other clocks: the newest of each name."""
    rows = tx.conn.execute(
        select(tables.clocks).where(tables.clocks.c.ticket_id == ticket.id).order_by(tables.clocks.c.cycle)
    )
    return {
        ClockName(row.name): Clock(
            name=ClockName(row.name),
            cycle=row.cycle,
            started_at=row.started_at,
            due_at=row.due_at,
            stopped_at=row.stopped_at,
            breached_at=row.breached_at,
            calendar_no=row.calendar_no,
        )
        for row in rows
    }


def _save_clocks(tx: Tx, ticket: Ticket) -> None:
    for clock in ticket.clocks.values():
        values = {**asdict(clock), "ticket_id": ticket.id, "branch_id": ticket.branch_id}
        tx.conn.execute(
            upsert(tables.clocks)
            .values(values)
            .on_conflict_do_update(
                index_elements=["ticket_id", "cycle", "name"],
                set_={name: values[name] for name in ("due_at", "stopped_at", "breached_at", "calendar_no")},
            )
        )


def handler_of(tx: Tx, ticket_id: UUID | None) -> str | None:
    handler: str | None = tx.conn.execute(
        select(tables.tickets.c.handler).where(tables.tickets.c.id == ticket_id)
    ).scalar()
    return handler
