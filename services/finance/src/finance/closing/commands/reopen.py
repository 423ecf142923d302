"""Opening the last closed month again, by the word of two persons who did not ask for it.

Source: F2, model 3.2, I27
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance import balances, periods
from finance.book import BOOK
from finance.closing.events import period_reopened
from finance.closing.queries import reopening
from finance.closing.tables import period_reopening_decisions
from finance.kernel.company import require_company
from finance.kernel.period import (
    LaterPeriodClosed,
    PeriodNotClosed,
    PeriodState,
    ReopeningNotFound,
    ReopeningPending,
    month_text,
)
from finance.periods import period_of
from shared import audit, outbox
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.transaction import Tx

REOPENERS = frozenset({"finance_head", "management"})


def request_reopening(tx: Tx, month: date, reason: str) -> dict[str, Any]:
    """Ask that the last closed month be opened again; a finance head and management decide, neither of them who asks.

    Raises PeriodUnknown, PeriodNotClosed (also of a locked month, which never opens), LaterPeriodClosed,
    ReopeningPending, CompanyNotCovered.
    """
    require_company(tx.actor)
    period = period_of(tx, month, lock=True)
    _require_reopenable(tx, period)
    waiting = tx.conn.execute(
        text("select 1 from period_reopenings where month = :month and state = 'pending'"), {"month": month}
    ).first()
    if waiting is not None:
        raise ReopeningPending("a request for this month waits for its decisions")
    reopening_id = new_id()
    subject = {"month": month_text(month), "version": period["version"], "reason": reason}
    tx.conn.execute(
        text(
            "insert into period_reopenings (reopening_id, month, version, state, reason, subject_hash, requested_by,"
            " requested_at) values (:id, :month, :version, 'pending', :reason, :hash, :person, :now)"
        ),
        {
            "id": reopening_id,
            "month": month,
            "version": period["version"],
            "reason": reason,
            "hash": audit.digest(subject),
            "person": tx.actor.id,
            "now": tx.now,
        },
    )
    audit.record(tx, "period.request_reopening", month_text(month), after=subject)
    return reopening(tx, reopening_id)


def _require_reopenable(tx: Tx, period: Mapping[str, Any]) -> None:
    month = period["month"]
    if period["state"] != PeriodState.SOFT_CLOSED:
        raise PeriodNotClosed(
            Text(
                "{month} is {state}; only a soft-closed month is re-opened",
                month=month_text(month),
                state=period["state"],
            )
        )
    later = tx.conn.execute(
        text(f"select min(month) from {periods.PERIODS} p where state <> 'open' and month > :month"),
        {"month": month},
    ).scalar_one()
    if later is not None:
        raise LaterPeriodClosed(
            Text("{month} is closed; re-open it first", month=month_text(later)), month=month_text(later)
        )


def decide_reopening(
    tx: Tx, month: date, reopening_id: UUID, *, approved: bool, reason: str | None
) -> dict[str, Any]:
    """One decision; with the second approval the month is open again, with a rejection it stays closed.

    Raises ReopeningNotFound, PeriodNotClosed, LaterPeriodClosed, CompanyNotCovered, and the refusals of shared.approvals.
    """
    require_company(tx.actor)
    of_month = tx.conn.execute(
        text("select month from period_reopenings where reopening_id = :id"), {"id": reopening_id}
    ).scalar_one_or_none()
    if of_month != month:
        raise ReopeningNotFound("no such request")
    period = period_of(tx, month, lock=True)
    row = reopening(tx, reopening_id)
    approval = Approval(
        required=REOPENERS, excluded=frozenset({row["requested_by"]}), subject_hash=row["subject_hash"]
    )
    decision, state = decide_and_store(
        tx,
        period_reopening_decisions,
        {"reopening_id": reopening_id},
        approval,
        approved=approved,
        reason=reason,
    )
    tx.conn.execute(
        text("update period_reopenings set state = :state where reopening_id = :id"),
        {"state": state, "id": reopening_id},
    )
    audit.record(
        tx, "period.decide_reopening", month_text(month), before=row["state"], after=[state, decision.role]
    )
    if state == "approved":
        _reopen(tx, period)
    return reopening(tx, reopening_id)


def _reopen(tx: Tx, period: Mapping[str, Any]) -> None:
    month = period["month"]
    _require_reopenable(tx, period)
    balances.forget(tx.conn, month)
    periods.move(tx.conn, month, state=PeriodState.OPEN, closed_by=None, closed_at=None, late_days=None)
    opened = period_of(tx, month)
    outbox.append(
        tx,
        period_reopened(
            book=BOOK, month=month_text(month), version=opened["version"], day=business_date(tx.now)
        ),
    )
    audit.record(tx, "period.reopen", month_text(month), before=period, after=opened)
