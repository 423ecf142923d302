"""What is read of feedback, limited to the branches of the token."""

import csv
import io
from datetime import date
from typing import Any

from sqlalchemy import Subquery, func, select

from service_desk import tickets
from service_desk.feedback import model, store, tables
from shared import holidays
from shared.calendar import CalendarUnknown
from shared.paging import newest_first
from shared.transaction import Tx

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


def get_ledger(tx: Tx, branch_id: str, month: date) -> dict[str, Any]:
    """A month's feedback ledger: its signatures, and its own entries counted by channel and kind.

    Raises ForeignBranch, LedgerNotFound.
    """
    ledger = _ledger(tx, branch_id, month)
    counts = tx.conn.execute(
        select(
            tables.feedback_records.c.channel, tables.feedback_records.c.kind, func.count().label("records")
        )
        .join(
            tables.feedback_ledger_entries,
            tables.feedback_ledger_entries.c.feedback_id == tables.feedback_records.c.id,
        )
        .where(
            tables.feedback_ledger_entries.c.ledger_id == ledger["id"],
            ~tables.feedback_ledger_entries.c.is_late,
        )
        .group_by(tables.feedback_records.c.channel, tables.feedback_records.c.kind)
        .order_by(tables.feedback_records.c.channel, tables.feedback_records.c.kind)
    ).mappings()
    return {
        **ledger,
        **_due(tx, ledger["due_on"], month),
        "counts": [dict(row) for row in counts],
    }


def list_ledgers(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """A page of ledgers, the newest first. Raises ForeignBranch, CursorInvalid."""
    ledgers = tables.feedback_ledgers
    wanted = select(ledgers)
    if filters.get("state") is not None:
        wanted = wanted.where(ledgers.c.state == filters["state"])
    return newest_first(tx, wanted, ledgers.c.id, filters, ledgers.c.branch_id)


def list_entries(tx: Tx, branch_id: str, month: date, filters: dict[str, Any]) -> dict[str, Any]:
    ledger = _ledger(tx, branch_id, month)
    query = _entries(tickets.entered()).where(tables.feedback_ledger_entries.c.ledger_id == ledger["id"])
    return newest_first(tx, query, tables.feedback_records.c.id, filters)


def ledger_csv(tx: Tx, branch_id: str, month: date) -> str:
    """Every entry, at most CSV_ROWS_MAX, in the order of intake; no free text, so no personal data."""
    ledger = _ledger(tx, branch_id, month)
    ticket = tickets.entered()
    rows = tx.conn.execute(
        _entries(ticket)
        .where(tables.feedback_ledger_entries.c.ledger_id == ledger["id"])
        .order_by(
            tables.feedback_ledger_entries.c.is_late,
            tables.feedback_records.c.taken_on,
            ticket.c.number,
        )
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


def _entries(ticket: Subquery) -> Any:
    return (
        select(
            tables.feedback_records.c.id,
            tables.feedback_records.c.taken_on,
            tables.feedback_records.c.month,
            tables.feedback_records.c.channel,
            tables.feedback_records.c.kind,
            tables.feedback_ledger_entries.c.is_late.label("addendum"),
            tables.feedback_records.c.ticket_id,
            *(column for column in ticket.c if column.name != "id"),
        )
        .join(
            tables.feedback_ledger_entries,
            tables.feedback_ledger_entries.c.feedback_id == tables.feedback_records.c.id,
        )
        .join(ticket, ticket.c.id == tables.feedback_records.c.ticket_id)
    )


def _ledger(tx: Tx, branch_id: str, month: date) -> dict[str, Any]:
    tx.actor.require_branch(branch_id)
    row = (
        tx.conn.execute(
            select(tables.feedback_ledgers).where(
                tables.feedback_ledgers.c.branch_id == branch_id, tables.feedback_ledgers.c.month == month
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise store.LedgerNotFound("this month's feedback ledger has not been compiled")
    return dict(row)


def _due(tx: Tx, kept: date | None, month: date) -> dict[str, Any]:
    """The day as it was when the ledger was closed, else as the calendar tells it, else what it waits for."""
    if kept is not None:
        return {"due_on": kept, "awaits_calendar_of": None}
    calendar = holidays.calendar(tx.conn)
    try:
        return {"due_on": model.due_on(calendar, month), "awaits_calendar_of": None}
    except CalendarUnknown as unknown:
        return {"due_on": None, "awaits_calendar_of": unknown.context["year"]}
