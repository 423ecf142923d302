"""The two approvals of a notice, and the pickup order that the second one makes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from returns import notices, pickups
from returns.approvals import events, rules
from returns.approvals.tables import return_decisions
from returns.kernel.durations import hours_between
from returns.kernel.vocabulary import Fact, Kind, Status
from returns.notices import Notice
from shared import holidays
from shared.approvals import Approval, decide_and_store
from shared.events import Event
from shared.transaction import Tx

APPROVERS = frozenset({"business_head", "qa"})


def decide_return(tx: Tx, notice_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Record one approval or rejection; the second approval approves and, for b2b, orders the pickup.

    Raises StepNotAllowed, and what shared.approvals raises. Source: R4 R5 R6
    """
    notice = notices.lock(tx, notice_id)
    notice.require(Fact.DECIDED)
    decision, state = decide_and_store(
        tx,
        return_decisions,
        {"notice_id": notice_id},
        Approval(
            required=APPROVERS,
            excluded=frozenset({notice.requested_by}),
            subject_hash=notice.subject_hash,
        ),
        approved=approved,
        reason=reason,
    )
    start = before = notice.happen(Fact.DECIDED)
    notices.add_history(
        tx,
        notice,
        Fact.DECIDED,
        before=before,
        detail={"role": decision.role, "approved": approved, "reason": reason},
    )
    taken_s = rules.business_s(holidays.calendar(tx.conn), notice.requested_at, tx.now)
    published: list[Event] = [
        events.decided(notice.at(tx.now), role=decision.role, approved=approved, business_s=taken_s)
    ]
    if not approved:
        before = notice.happen(Fact.REJECTED, Status.REJECTED)
        notices.add_history(tx, notice, Fact.REJECTED, before=before, detail={"reason": reason})
        published.append(events.rejected(notice.at(tx.now)))
    elif state == "approved":
        published.append(_approve(tx, notice))
    notices.finish(tx, notice, published, before=start)


def _approve(tx: Tx, notice: Notice) -> Event:
    """Retail goods are handed over the counter; all others get a pickup order in this same transaction."""
    detail: dict[str, Any] = {}
    due_at: datetime | None = None
    if notice.kind is Kind.RETAIL:
        before = notice.happen(Fact.APPROVED, Status.APPROVED)
    else:
        before = notice.happen(Fact.APPROVED, Status.PICKUP_ORDERED)
        due_at = pickups.order(tx, notice.id)
        detail["pickup_due_at"] = due_at.isoformat() if due_at else None
    notices.add_history(tx, notice, Fact.APPROVED, before=before, detail=detail)
    return events.approved(
        notice.at(tx.now),
        hours=hours_between(notice.requested_at, tx.now),
        needs_pickup=notice.kind is not Kind.RETAIL,
        pickup_due_at=due_at,
    )
