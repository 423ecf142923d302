"""The statements that keep requests to open a month again, whose row the caller locks; and how its proofs read."""

from datetime import date
from uuid import UUID

from sqlalchemy import insert, text

from finance import periods
from finance.closing.model import Reopening
from finance.closing.tables import period_reopening_decisions, period_reopenings
from finance.kernel.period import Period
from shared.approvals import Approval, Decision, decide_and_store
from shared.transaction import Tx


def read_in_one_snapshot(tx: Tx) -> None:
    """The transaction sees one instant: nothing ran in it before."""
    tx.conn.execute(text("set transaction isolation level repeatable read"))


def waits(tx: Tx, month: date) -> bool:
    """Does a request for the month wait for its decisions?"""
    found = tx.conn.execute(
        text("select 1 from period_reopenings where month = :month and state = 'pending'"), {"month": month}
    )
    return found.first() is not None


def add(tx: Tx, reopening_id: UUID, period: Period, reason: str, subject_hash: str | None) -> None:
    tx.conn.execute(
        insert(period_reopenings).values(
            reopening_id=reopening_id,
            month=period.month,
            version=period.version,
            state="pending",
            reason=reason,
            subject_hash=subject_hash,
            requested_by=tx.actor.id,
            requested_at=tx.now,
        )
    )


def month_of(tx: Tx, reopening_id: UUID) -> date | None:
    month: date | None = tx.conn.execute(
        text("select month from period_reopenings where reopening_id = :id"), {"id": reopening_id}
    ).scalar_one_or_none()
    return month


def reopening(tx: Tx, reopening_id: UUID) -> Reopening:
    row = tx.conn.execute(
        text(
            "select reopening_id, state, subject_hash, requested_by from period_reopenings where reopening_id = :id"
        ),
        {"id": reopening_id},
    ).one()
    return Reopening(*row)


def decide(
    tx: Tx, asked: Reopening, approval: Approval, *, approved: bool, reason: str | None
) -> tuple[Decision, str]:
    """Keep the actor's decision and what the request is by it. Raises the refusals of shared.approvals."""
    subject = {"reopening_id": asked.reopening_id}
    decision, state = decide_and_store(
        tx, period_reopening_decisions, subject, approval, approved=approved, reason=reason
    )
    tx.conn.execute(
        text("update period_reopenings set state = :state where reopening_id = :id"),
        {"state": state, "id": asked.reopening_id},
    )
    return decision, state


def first_closed_after(tx: Tx, month: date) -> date | None:
    """The first later month that is not open."""
    later: date | None = tx.conn.execute(
        text(f"select min(month) from {periods.PERIODS} p where state <> 'open' and month > :month"),
        {"month": month},
    ).scalar_one()
    return later


def is_passed_over(tx: Tx, month: date) -> bool:
    """Nothing was ever booked to it, but to months before it."""
    first = tx.conn.execute(
        text(f"select min(month) from {periods.PERIODS} p having not bool_or(month = :month)"),
        {"month": month},
    ).scalar_one_or_none()
    return first is not None and first < month
