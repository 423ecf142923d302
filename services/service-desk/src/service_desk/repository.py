"""Every statement the service desk runs to change something; all within the caller's transaction."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from service_desk import tables as t
from service_desk.domain.clocks import Clock
from service_desk.domain.ledgers import FeedbackLedger, LedgerState
from service_desk.domain.surveys import Survey
from service_desk.domain.tickets import Reporter, State, Ticket
from service_desk.vocabulary import Cause, Channel, ClockName, Fault, Kind, Severity
from shared.clock import business_date, new_id
from shared.errors import NotFound
from shared.transaction import Tx

CLOCKS_AT_ONCE_MAX = 200
_TICKET_FIELDS = [
    "id",
    "number",
    "kind",
    "channel",
    "branch_id",
    "customer_id",
    "severity",
    "reporter",
    "received_at",
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
]
_LEDGER_COLUMNS = [column.name for column in t.feedback_ledgers.columns]


class TicketNotFound(NotFound):
    code = "ticket_not_found"


class SurveyNotFound(NotFound):
    code = "survey_not_found"


class EscalationNotFound(NotFound):
    code = "escalation_not_found"


class LedgerNotFound(NotFound):
    code = "ledger_not_found"


# --- tickets ------------------------------------------------------------------------------------------


def next_ticket_number(tx: Tx, branch_id: str, received_at: datetime) -> str:
    """`TK-<branch>-<year>-NNNNNN`, without gaps: openers of one branch queue on its counter until commit."""
    year = business_date(received_at).year
    statement = upsert(t.ticket_counters).values(branch_id=branch_id, year=year, last=1)
    last = tx.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["branch_id", "year"], set_={"last": t.ticket_counters.c.last + 1}
        ).returning(t.ticket_counters.c.last)
    ).scalar_one()
    return f"TK-{branch_id}-{year}-{last:06d}"


def add_ticket(tx: Tx, ticket: Ticket, more: Mapping[str, Any]) -> None:
    """`more` holds what the rules do not look at: subject, text, references to sale, product, lot, return."""
    tx.conn.execute(
        insert(t.tickets).values(
            **{name: getattr(ticket, name) for name in _TICKET_FIELDS},
            recorded_at=tx.now,
            recorded_by=tx.actor.id,
            **more,
        )
    )
    _save_clocks(tx, ticket)


def lock_ticket(tx: Tx, ticket_id: UUID) -> Ticket:
    """The ticket, held against other writers until this transaction ends. Raises TicketNotFound."""
    row = (
        tx.conn.execute(
            select(*(t.tickets.c[name] for name in _TICKET_FIELDS))
            .where(t.tickets.c.id == ticket_id)
            .with_for_update()
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise TicketNotFound(f"no ticket {ticket_id}")
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
        }
    )
    ticket.clocks = _clocks_of(tx, ticket)
    return ticket


def save_ticket(tx: Tx, ticket: Ticket) -> None:
    """Store what changed; the caller holds the row."""
    changing = {
        name: getattr(ticket, name)
        for name in [
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
        ]
    }
    tx.conn.execute(update(t.tickets).where(t.tickets.c.id == ticket.id).values(changing))
    _save_clocks(tx, ticket)


def link_return(tx: Tx, ticket_id: UUID, return_id: str) -> None:
    tx.conn.execute(update(t.tickets).where(t.tickets.c.id == ticket_id).values(return_id=return_id))


def add_step(
    tx: Tx, ticket: Ticket, action: str, *, detail: Mapping[str, Any] | None = None, note: str | None = None
) -> None:
    """Append to the ticket's history; the caller holds the ticket, so numbers have no gaps."""
    last = select(func.coalesce(func.max(t.ticket_steps.c.no), 0) + 1).where(
        t.ticket_steps.c.ticket_id == ticket.id
    )
    tx.conn.execute(
        insert(t.ticket_steps).values(
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
        insert(t.escalations).values(
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
        tx.conn.execute(select(t.escalations).where(t.escalations.c.id == escalation_id).with_for_update())
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise EscalationNotFound(f"no escalation {escalation_id}")
    return dict(row)


def acknowledge_escalation(tx: Tx, escalation_id: UUID) -> None:
    tx.conn.execute(
        update(t.escalations)
        .where(t.escalations.c.id == escalation_id)
        .values(acknowledged_by=tx.actor.id, acknowledged_at=tx.now)
    )


def find_overdue(tx: Tx) -> list[tuple[UUID, ClockName]]:
    """Running clocks past due that nobody has told of, at most CLOCKS_AT_ONCE_MAX, oldest first."""
    rows = tx.conn.execute(
        select(t.clocks.c.ticket_id, t.clocks.c.name)
        .where(t.clocks.c.stopped_at.is_(None), t.clocks.c.breached_at.is_(None), t.clocks.c.due_at < tx.now)
        .order_by(t.clocks.c.due_at)
        .limit(CLOCKS_AT_ONCE_MAX)
    )
    return [(row.ticket_id, ClockName(row.name)) for row in rows]


def find_undated(tx: Tx) -> list[UUID]:
    """Tickets with a running clock whose due moment the calendar could not tell yet."""
    return list(
        tx.conn.execute(
            select(t.clocks.c.ticket_id)
            .where(
                t.clocks.c.stopped_at.is_(None),
                t.clocks.c.breached_at.is_(None),
                t.clocks.c.due_at.is_(None),
            )
            .order_by(t.clocks.c.started_at)
            .limit(CLOCKS_AT_ONCE_MAX)
        ).scalars()
    )


def _clocks_of(tx: Tx, ticket: Ticket) -> dict[ClockName, Clock]:
    """The 24-hour clock, and the present cycle's other clocks: the newest of each name."""
    rows = tx.conn.execute(
        select(t.clocks).where(t.clocks.c.ticket_id == ticket.id).order_by(t.clocks.c.cycle)
    )
    return {
        ClockName(row.name): Clock(
            name=ClockName(row.name),
            cycle=row.cycle,
            started_at=row.started_at,
            due_at=row.due_at,
            stopped_at=row.stopped_at,
            breached_at=row.breached_at,
        )
        for row in rows
    }


def _save_clocks(tx: Tx, ticket: Ticket) -> None:
    for clock in ticket.clocks.values():
        values = {**asdict(clock), "ticket_id": ticket.id, "branch_id": ticket.branch_id}
        tx.conn.execute(
            upsert(t.clocks)
            .values(values)
            .on_conflict_do_update(
                index_elements=["ticket_id", "cycle", "name"],
                set_={name: values[name] for name in ("due_at", "stopped_at", "breached_at")},
            )
        )


# --- surveys ------------------------------------------------------------------------------------------


def lock_customer(tx: Tx, customer_id: str) -> None:
    """Two invitations of one customer are decided one after the other."""
    _advisory_lock(tx, f"survey:{customer_id}")


def find_last_sent(tx: Tx, customer_id: str) -> datetime | None:
    """When a survey last reached the customer, whatever it was about."""
    sent_at: datetime | None = tx.conn.execute(
        select(func.max(t.surveys.c.sent_at)).where(
            t.surveys.c.customer_id == customer_id, t.surveys.c.delivered
        )
    ).scalar()
    return sent_at


def has_delivered_survey(tx: Tx, survey: Survey) -> bool:
    """Whether the same cycle, or the same campaign and customer, was already asked."""
    same = (
        (t.surveys.c.ticket_id == survey.ticket_id, t.surveys.c.cycle == survey.cycle)
        if survey.ticket_id
        else (t.surveys.c.campaign == survey.campaign, t.surveys.c.customer_id == survey.customer_id)
    )
    return bool(tx.conn.execute(select(select(1).where(t.surveys.c.delivered, *same).exists())).scalar())


def add_survey(tx: Tx, survey: Survey) -> None:
    values = asdict(survey)
    del values["scores"]
    tx.conn.execute(insert(t.surveys).values(**values, sent_by=tx.actor.id))


def lock_survey(tx: Tx, survey_id: UUID) -> Survey:
    """Raises SurveyNotFound."""
    row = (
        tx.conn.execute(select(t.surveys).where(t.surveys.c.id == survey_id).with_for_update())
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise SurveyNotFound(f"no survey {survey_id}")
    kept = {name: row[name] for name in Survey.__dataclass_fields__}
    return Survey(**{**kept, "token_hash": bytes(row["token_hash"])})


def save_answer(tx: Tx, survey: Survey, comment: str | None) -> None:
    tx.conn.execute(
        update(t.surveys)
        .where(t.surveys.c.id == survey.id)
        .values(
            answered_at=survey.answered_at, answered_by=tx.actor.id, scores=survey.scores, comment=comment
        )
    )


def find_handler(tx: Tx, ticket_id: UUID | None) -> str | None:
    handler: str | None = tx.conn.execute(
        select(t.tickets.c.handler).where(t.tickets.c.id == ticket_id)
    ).scalar()
    return handler


# --- feedback -----------------------------------------------------------------------------------------


def lock_feedback(tx: Tx, branch_id: str, *, to_add: bool) -> None:
    """Openers of tickets share it; compiling, signing and closing a ledger hold it alone.

    So no record slips in between the count of a month and its close.
    """
    _advisory_lock(tx, f"feedback:{branch_id}", shared=to_add)


def add_feedback_record(tx: Tx, *, feedback_id: UUID, ticket: Ticket, month: date, taken_on: date) -> None:
    tx.conn.execute(
        insert(t.feedback_records).values(
            id=feedback_id,
            ticket_id=ticket.id,
            branch_id=ticket.branch_id,
            month=month,
            taken_on=taken_on,
            channel=ticket.channel,
            kind=ticket.kind,
        )
    )


def find_ledger(tx: Tx, branch_id: str, month: date) -> FeedbackLedger | None:
    row = (
        tx.conn.execute(
            select(t.feedback_ledgers)
            .where(t.feedback_ledgers.c.branch_id == branch_id, t.feedback_ledgers.c.month == month)
            .with_for_update()
        )
        .mappings()
        .one_or_none()
    )
    return FeedbackLedger(**{**row, "state": LedgerState(row["state"])}) if row else None


def lock_ledger(tx: Tx, branch_id: str, month: date) -> FeedbackLedger:
    """Raises LedgerNotFound."""
    ledger = find_ledger(tx, branch_id, month)
    if ledger is None:
        raise LedgerNotFound("this month's feedback ledger has not been compiled")
    return ledger


def save_ledger(tx: Tx, ledger: FeedbackLedger) -> None:
    values = asdict(ledger)
    tx.conn.execute(
        upsert(t.feedback_ledgers)
        .values(values)
        .on_conflict_do_update(index_elements=["id"], set_={name: values[name] for name in _LEDGER_COLUMNS})
    )


def enter_records(tx: Tx, ledger: FeedbackLedger) -> tuple[list[UUID], list[UUID]]:
    """Enter the month's records, and late ones of closed months, that are in no ledger.

    Returns the ids of all own and all late entries of the ledger.
    """
    tx.conn.execute(
        text(
            "insert into feedback_ledger_entries (feedback_id, ledger_id, is_late)"
            " select r.id, :ledger_id, r.month < :month from feedback_records r"
            " where r.branch_id = :branch_id"
            " and (r.month = :month or (r.month < :month and exists (select 1 from feedback_ledgers l"
            "   where l.branch_id = r.branch_id and l.month = r.month and l.state = 'closed')))"
            " and not exists (select 1 from feedback_ledger_entries e where e.feedback_id = r.id)"
        ),
        {"ledger_id": ledger.id, "branch_id": ledger.branch_id, "month": ledger.month},
    )
    rows = tx.conn.execute(
        select(t.feedback_ledger_entries.c.feedback_id, t.feedback_ledger_entries.c.is_late).where(
            t.feedback_ledger_entries.c.ledger_id == ledger.id
        )
    ).all()
    return [row.feedback_id for row in rows if not row.is_late], [
        row.feedback_id for row in rows if row.is_late
    ]


def count_missing(tx: Tx, ledger: FeedbackLedger) -> int:
    """Records of the ledger's month that are in no ledger."""
    return int(
        tx.conn.execute(
            text(
                "select count(*) from feedback_records r where r.branch_id = :branch_id and r.month = :month"
                " and not exists (select 1 from feedback_ledger_entries e where e.feedback_id = r.id)"
            ),
            {"branch_id": ledger.branch_id, "month": ledger.month},
        ).scalar_one()
    )


def _advisory_lock(tx: Tx, name: str, *, shared: bool = False) -> None:
    kind = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    tx.conn.execute(text(f"select {kind}(hashtextextended(:name, 0))"), {"name": name})
