"""Opening the last closed month again, by the approval of two persons who did not ask for it.

Source: F2, model 3.2, I27
"""

from dataclasses import asdict
from datetime import date
from uuid import UUID

from finance import balances, periods
from finance.book import BOOK
from finance.closing import store
from finance.closing.events import period_reopened
from finance.kernel.company import require_company
from finance.kernel.period import (
    LaterPeriodClosed,
    Period,
    PeriodNotClosed,
    PeriodState,
    ReopeningNotFound,
    ReopeningPending,
    month_text,
)
from finance.periods import period_of
from shared import audit, outbox
from shared.approvals import Approval
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.transaction import Tx

REOPENERS = frozenset({"finance_head", "management"})


def request_reopening(tx: Tx, month: date, reason: str) -> UUID:
    """Ask that the last closed month be opened again; a finance head and management decide, neither of them who asks.

    Raises PeriodUnknown, PeriodNotClosed (also of a locked month, which never opens), LaterPeriodClosed,
    ReopeningPending, CompanyNotCovered.
    """
    require_company(tx.actor)
    period = period_of(tx, month, lock=True)
    _require_reopenable(tx, period)
    if store.waits(tx, month):
        raise ReopeningPending("a request for this month waits for its decisions")
    reopening_id = new_id()
    subject = {"month": month_text(month), "version": period.version, "reason": reason}
    store.add(tx, reopening_id, period, reason, audit.digest(subject))
    audit.record(tx, "period.request_reopening", month_text(month), after=subject)
    return reopening_id


def _require_reopenable(tx: Tx, period: Period) -> None:
    month = period.month
    if period.state != PeriodState.SOFT_CLOSED:
        raise PeriodNotClosed(
            Text(
                "{month} is {state}; only a soft-closed month is re-opened",
                month=month_text(month),
                state=period.state,
            )
        )
    later = store.first_closed_after(tx, month)
    if later is not None:
        raise LaterPeriodClosed(
            Text("{month} is closed; re-open it first", month=month_text(later)), month=month_text(later)
        )


def decide_reopening(tx: Tx, month: date, reopening_id: UUID, *, approved: bool, reason: str | None) -> None:
    """One decision; with the second approval the month is open again, with a rejection it stays closed.

    Raises ReopeningNotFound, PeriodNotClosed, LaterPeriodClosed, CompanyNotCovered, and the refusals of shared.approvals.
    """
    require_company(tx.actor)
    if store.month_of(tx, reopening_id) != month:
        raise ReopeningNotFound("no such request")
    period = period_of(tx, month, lock=True)
    asked = store.reopening(tx, reopening_id)
    approval = Approval(
        required=REOPENERS, excluded=frozenset({asked.requested_by}), subject_hash=asked.subject_hash
    )
    decision, state = store.decide(tx, asked, approval, approved=approved, reason=reason)
    audit.record(
        tx, "period.decide_reopening", month_text(month), before=asked.state, after=[state, decision.role]
    )
    if state == "approved":
        _reopen(tx, period)


def _reopen(tx: Tx, period: Period) -> None:
    month = period.month
    _require_reopenable(tx, period)
    balances.forget(tx.conn, month)
    periods.move(tx.conn, month, state=PeriodState.OPEN, closed_by=None, closed_at=None, late_days=None)
    opened = period_of(tx, month)
    outbox.append(
        tx,
        period_reopened(
            book=BOOK, month=month_text(month), version=opened.version, day=business_date(tx.now)
        ),
    )
    audit.record(tx, "period.reopen", month_text(month), before=asdict(period), after=asdict(opened))
