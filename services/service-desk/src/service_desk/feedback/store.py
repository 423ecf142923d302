"""The statements that change feedback; all within the caller's transaction."""

from dataclasses import asdict
from datetime import date
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from service_desk.feedback import tables
from service_desk.feedback.model import FeedbackLedger, LedgerState
from service_desk.tickets import Ticket
from shared.errors import NotFound
from shared.transaction import Tx

_LEDGER_COLUMNS = [column.name for column in tables.feedback_ledgers.columns]


class LedgerNotFound(NotFound):
    code = "ledger_not_found"
    cure = "Compile the ledger of this month first."


def lock(tx: Tx, branch_id: str, *, to_add: bool) -> None:
    """Openers of tickets share it; compiling, signing and closing a ledger hold it alone.

    So no record slips in between the count of a month and its close.
    """
    kind = "pg_advisory_xact_lock_shared" if to_add else "pg_advisory_xact_lock"
    tx.conn.execute(text(f"select {kind}(hashtextextended(:name, 0))"), {"name": f"feedback:{branch_id}"})


def add_feedback_record(tx: Tx, *, feedback_id: UUID, ticket: Ticket, month: date, taken_on: date) -> None:
    tx.conn.execute(
        insert(tables.feedback_records).values(
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
            select(tables.feedback_ledgers)
            .where(tables.feedback_ledgers.c.branch_id == branch_id, tables.feedback_ledgers.c.month == month)
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
        upsert(tables.feedback_ledgers)
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
        select(tables.feedback_ledger_entries.c.feedback_id, tables.feedback_ledger_entries.c.is_late).where(
            tables.feedback_ledger_entries.c.ledger_id == ledger.id
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
