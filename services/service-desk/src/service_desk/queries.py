"""What the service desk answers: reads only, limited to the branches of the token."""

import csv
import io
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from service_desk import repository
from service_desk import tables as t
from service_desk.domain import ledgers
from service_desk.domain.clocks import seconds_up
from shared.calendar import CalendarUnknown
from shared.lots import canonical
from shared.paging import decode_cursor, page
from shared.transaction import Tx

STEPS_SHOWN_MAX = 500
CSV_ROWS_MAX = 100_000
CSV_COLUMNS = [
    "addendum",
    "number",
    "taken_on",
    "channel",
    "kind",
    "severity",
    "customer_id",
    "product_id",
    "lot",
    "state",
    "cause",
    "fault",
    "resolved_at",
]


def get_ticket(tx: Tx, ticket_id: UUID) -> dict[str, Any]:
    """A ticket with its clocks, its history, and what is known of the sale and return it names.

    `lot_in_sale` is None when the sale is unknown here (or no lot is named): the projection may lag behind. A
    sale or return of a branch that the token does not cover is as good as unknown.
    Raises TicketNotFound, ForeignBranch.
    """
    row = (
        tx.conn.execute(
            select(
                t.tickets,
                t.known_sales.c.lots.label("sold_lots"),
                t.known_sales.c.branch_id.label("sale_branch_id"),
                t.return_outcomes.c.branch_id.label("return_branch_id"),
                t.return_outcomes.c.outcome.label("return_outcome"),
                t.return_outcomes.c.cause.label("return_cause"),
            )
            .outerjoin(t.known_sales, t.known_sales.c.sale_id == t.tickets.c.sale_id)
            .outerjoin(t.return_outcomes, t.return_outcomes.c.return_id == t.tickets.c.return_id)
            .where(t.tickets.c.id == ticket_id)
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise repository.TicketNotFound(f"no ticket {ticket_id}")
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
    conditions: list[ColumnElement[bool]] = _visible(tx, t.tickets.c.branch_id, filters.get("branch_id"))
    conditions += [
        t.tickets.c[name] == filters[name] for name in ("state", "kind", "customer_id") if filters.get(name)
    ]
    columns = [
        "id",
        "number",
        "kind",
        "channel",
        "branch_id",
        "customer_id",
        "severity",
        "state",
        "cycle",
        "handler",
        "received_at",
        "resolved_at",
    ]
    return _page(tx, select(*(t.tickets.c[name] for name in columns)), t.tickets.c.id, conditions, filters)


def list_escalations(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """Those nobody has acknowledged, newest first."""
    conditions = _visible(tx, t.escalations.c.branch_id, filters.get("branch_id"))
    conditions.append(t.escalations.c.acknowledged_at.is_(None))
    return _page(tx, select(t.escalations), t.escalations.c.id, conditions, filters)


def get_escalation(tx: Tx, escalation_id: UUID) -> dict[str, Any]:
    return dict(
        tx.conn.execute(select(t.escalations).where(t.escalations.c.id == escalation_id)).mappings().one()
    )


def get_survey(tx: Tx, survey_id: UUID) -> dict[str, Any]:
    """Raises SurveyNotFound, ForeignBranch."""
    row = tx.conn.execute(select(t.surveys).where(t.surveys.c.id == survey_id)).mappings().one_or_none()
    if row is None:
        raise repository.SurveyNotFound(f"no survey {survey_id}")
    tx.actor.require_branch(row["branch_id"])
    return dict(row)


def list_surveys(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    conditions = _visible(tx, t.surveys.c.branch_id, filters.get("branch_id"))
    if filters.get("ticket_id"):
        conditions.append(t.surveys.c.ticket_id == filters["ticket_id"])
    return _page(tx, select(t.surveys), t.surveys.c.id, conditions, filters)


def get_ledger(tx: Tx, branch_id: str, month: date) -> dict[str, Any]:
    """A month's feedback ledger: its signatures, and its own entries counted by channel and kind.

    Raises ForeignBranch, LedgerNotFound.
    """
    ledger = _ledger(tx, branch_id, month)
    counts = tx.conn.execute(
        select(t.feedback_records.c.channel, t.feedback_records.c.kind, func.count().label("records"))
        .join(t.feedback_ledger_entries, t.feedback_ledger_entries.c.feedback_id == t.feedback_records.c.id)
        .where(t.feedback_ledger_entries.c.ledger_id == ledger["id"], ~t.feedback_ledger_entries.c.is_late)
        .group_by(t.feedback_records.c.channel, t.feedback_records.c.kind)
        .order_by(t.feedback_records.c.channel, t.feedback_records.c.kind)
    ).mappings()
    return {
        **ledger,
        "due_on": ledger["due_on"] or _due_if_known(month),
        "counts": [dict(row) for row in counts],
    }


def list_entries(tx: Tx, branch_id: str, month: date, filters: dict[str, Any]) -> dict[str, Any]:
    ledger = _ledger(tx, branch_id, month)
    return _page(
        tx,
        _entries(),
        t.feedback_records.c.id,
        [t.feedback_ledger_entries.c.ledger_id == ledger["id"]],
        filters,
    )


def ledger_csv(tx: Tx, branch_id: str, month: date) -> str:
    """Every entry, at most CSV_ROWS_MAX, in the order of intake; no free text, so no personal data."""
    ledger = _ledger(tx, branch_id, month)
    rows = tx.conn.execute(
        _entries()
        .where(t.feedback_ledger_entries.c.ledger_id == ledger["id"])
        .order_by(t.feedback_ledger_entries.c.is_late, t.feedback_records.c.taken_on, t.tickets.c.number)
        .limit(CSV_ROWS_MAX)
    ).mappings()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        writer.writerow(_cell(row[name]) for name in CSV_COLUMNS)
    return out.getvalue()


def _cell(value: Any) -> str:
    """A text that a spreadsheet would take for a formula is led by an apostrophe."""
    shown = "" if value is None else str(value)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown


def _entries() -> Any:
    return (
        select(
            t.feedback_records.c.id,
            t.feedback_records.c.taken_on,
            t.feedback_records.c.month,
            t.feedback_records.c.channel,
            t.feedback_records.c.kind,
            t.feedback_ledger_entries.c.is_late.label("addendum"),
            t.feedback_records.c.ticket_id,
            *(
                t.tickets.c[name]
                for name in [
                    "number",
                    "severity",
                    "customer_id",
                    "product_id",
                    "lot",
                    "state",
                    "cause",
                    "fault",
                    "resolved_at",
                ]
            ),
        )
        .join(t.feedback_ledger_entries, t.feedback_ledger_entries.c.feedback_id == t.feedback_records.c.id)
        .join(t.tickets, t.tickets.c.id == t.feedback_records.c.ticket_id)
    )


def _ledger(tx: Tx, branch_id: str, month: date) -> dict[str, Any]:
    tx.actor.require_branch(branch_id)
    row = (
        tx.conn.execute(
            select(t.feedback_ledgers).where(
                t.feedback_ledgers.c.branch_id == branch_id, t.feedback_ledgers.c.month == month
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise repository.LedgerNotFound("this month's feedback ledger has not been compiled")
    return dict(row)


def _due_if_known(month: date) -> date | None:
    try:
        return ledgers.due_on(month)
    except CalendarUnknown:
        return None


def _clocks(tx: Tx, ticket_id: UUID) -> list[dict[str, Any]]:
    rows = tx.conn.execute(
        select(t.clocks).where(t.clocks.c.ticket_id == ticket_id).order_by(t.clocks.c.cycle, t.clocks.c.name)
    ).mappings()
    return [{**row, **_reading(row["due_at"], row["stopped_at"], tx.now)} for row in rows]


def _reading(due_at: datetime | None, stopped_at: datetime | None, now: datetime) -> dict[str, Any]:
    """Whether it is in time, and how many seconds are left (negative: late); None without a due moment."""
    if due_at is None:
        return {"is_late": None, "left_s": None}
    at = stopped_at or now
    return {"is_late": at > due_at, "left_s": -seconds_up(at - due_at)}


def _steps(tx: Tx, ticket_id: UUID) -> list[dict[str, Any]]:
    rows = tx.conn.execute(
        select(t.ticket_steps)
        .where(t.ticket_steps.c.ticket_id == ticket_id)
        .order_by(t.ticket_steps.c.no)
        .limit(STEPS_SHOWN_MAX)
    ).mappings()
    return [dict(row) for row in rows]


def _visible(tx: Tx, column: ColumnElement[str], branch_id: str | None) -> list[ColumnElement[bool]]:
    """Only the asked branch (which the token must cover), else every branch of the token."""
    branches = tx.actor.branch_filter(branch_id)
    return [] if branches is None else [column.in_(branches)]


def _page(
    tx: Tx,
    rows: Any,
    key: ColumnElement[UUID],
    conditions: list[ColumnElement[bool]],
    filters: dict[str, Any],
) -> dict[str, Any]:
    """A page by descending id; ids are time-ordered, so this is newest first."""
    (before,) = decode_cursor(filters["cursor"], UUID)
    if before is not None:
        conditions = [*conditions, key < before]
    found = tx.conn.execute(rows.where(*conditions).order_by(key.desc()).limit(filters["limit"] + 1))
    return page(found.mappings(), filters["limit"], "id")
