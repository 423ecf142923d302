"""Enter a notice of holidays, and decide on it: two persons, because every deadline in working days rests on it.

A notice that turns out wrong is not changed: another one tells the days anew, and counts before it.
Source: model 3.0 (BusinessCalendar)
"""

from typing import Any
from uuid import UUID

from reporting.holidays import events, rules, store
from reporting.holidays.model import Notice
from reporting.holidays.tables import holiday_notice_decisions
from shared import audit, holidays, outbox
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date, new_id
from shared.identity import EVERY_BRANCH
from shared.transaction import Tx

ENTERED_BY = ("management", "qa", "supervision_member")
DECIDED_BY = "management"


def enter_notice(tx: Tx, body: dict[str, Any]) -> UUID:
    """Keep a notice until it is decided on.

    Raises ForeignBranch, HolidayElsewhere, MadeUpOnWeekday, StatutoryDayMissing, HolidayNoticePending.
    """
    tx.actor.require_branch(EVERY_BRANCH)
    notice = Notice(
        id=new_id(),
        reference=body["reference"],
        announced_on=body["announced_on"],
        year=body["year"],
        rest_days=sorted(body["rest_days"]),
        workdays=sorted(body["workdays"]),
        entered_by=tx.actor.id,
    )
    rules.require_plausible(notice.year, notice.rest_days, notice.workdays)
    store.add(tx, notice)
    audit.record(tx, "holiday_notice.enter", str(notice.id), after=_content(notice))
    return notice.id


def decide_notice(tx: Tx, notice_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Put the notice in force in every service, or let it be.

    Raises ForeignBranch, HolidayNoticeUnknown, AlreadyDecided, SamePerson, RoleNotAwaited, ReasonMissing.
    """
    tx.actor.require_branch(EVERY_BRANCH)
    notice = store.lock(tx, notice_id)
    subject_hash = audit.digest(_content(notice))
    assert subject_hash is not None
    decision, _ = decide_and_store(
        tx,
        holiday_notice_decisions,
        {"holiday_notice_id": notice_id},
        Approval(
            required=frozenset({DECIDED_BY}),
            excluded=frozenset({notice.entered_by}),
            subject_hash=subject_hash,
        ),
        approved=approved,
        reason=reason,
    )
    audit.record(tx, "holiday_notice.decide", str(notice_id), after=[subject_hash, approved, reason])
    if not approved:
        store.reject(tx, notice, decision)
        return
    number = store.approve(tx, notice, decision)
    told = holidays.Announced(
        number=number, year=notice.year, rest_days=notice.rest_days, workdays=notice.workdays
    )
    holidays.keep(tx, [told])
    outbox.append(tx, events.holidays_announced(notice, number, business_date(tx.now)))


def _content(notice: Notice) -> list[Any]:
    return [notice.reference, notice.announced_on, notice.year, notice.rest_days, notice.workdays]
