"""The monthly feedback ledger 市场信息反馈台帐 of a branch: compiled, signed by another person, closed.

It holds every feedback record of its month exactly once, and in an addendum the late records of months whose
ledger was closed before they came in. Compiling again makes any signature void, since it signs the entries.
Source: D17, D22
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from service_desk import standards
from service_desk.feedback import events
from shared.approvals import Approval
from shared.calendar import Calendar
from shared.clock import business_date, next_month
from shared.errors import Conflict
from shared.events import Event
from shared.identity import Actor
from shared.languages import Text


class LedgerState(StrEnum):
    COMPILED = "compiled"
    SIGNED = "signed"
    CLOSED = "closed"


class MonthNotOver(Conflict):
    code = "ledger_month_not_over"
    cure = "Compile it when the month is over."


class LedgerClosed(Conflict):
    code = "ledger_closed"
    cure = "Leave it as it is; the record is in the ledger of the next month."


class LedgerNotCompiled(Conflict):
    code = "ledger_not_compiled"
    cure = "Compile the ledger first; one that is signed is closed next."


class LedgerNotSigned(Conflict):
    code = "ledger_not_signed"
    cure = "Sign the ledger before it is closed."


class LedgerIncomplete(Conflict):
    """Records came in since it was compiled: compile it again."""

    code = "ledger_incomplete"
    cure = "Compile the ledger again, then sign it."


@dataclass(kw_only=True)
class FeedbackLedger:
    """`records` counts the month's own entries, `late_records` the addendum's; the hash covers both."""

    id: UUID
    branch_id: str
    month: date
    state: LedgerState
    compiled_by: str
    compiled_at: datetime
    records: int
    late_records: int
    entries_hash: str
    signed_by: str | None = None
    signed_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    due_on: date | None = None
    on_time: bool | None = None

    def recompile(self, actor: Actor, at: datetime) -> None:
        """Raises LedgerClosed."""
        if self.state is LedgerState.CLOSED:
            raise LedgerClosed("a closed ledger does not change; late records go into the next one")
        self.state, self.compiled_by, self.compiled_at = LedgerState.COMPILED, actor.id, at
        self.signed_by = self.signed_at = None

    def sign(self, actor: Actor, *, missing: int, at: datetime) -> None:
        """A manager other than the compiler answers for it.

        Raises LedgerNotCompiled, LedgerIncomplete, SamePerson, RoleNotAwaited.
        """
        if self.state is not LedgerState.COMPILED:
            raise LedgerNotCompiled(Text("the ledger is {state}", state=self.state))
        _require_complete(missing)
        Approval(
            required=frozenset({"cs_manager"}),
            excluded=frozenset({self.compiled_by}),
            subject_hash=self.entries_hash,
        ).decide(person=actor.id, roles=actor.roles, approved=True, reason=None, at=at)
        self.state, self.signed_by, self.signed_at = LedgerState.SIGNED, actor.id, at

    def close(self, actor: Actor, *, calendar: Calendar, missing: int, at: datetime) -> Event:
        """Raises LedgerNotSigned, LedgerIncomplete, CalendarUnknown."""
        if self.state is not LedgerState.SIGNED:
            raise LedgerNotSigned(Text("the ledger is {state}", state=self.state))
        _require_complete(missing)
        self.due_on = due_on(calendar, self.month)
        self.on_time = business_date(at) <= self.due_on
        self.state, self.closed_by, self.closed_at = LedgerState.CLOSED, actor.id, at
        return events.feedback_ledger_closed(
            ledger_id=self.id,
            branch_id=self.branch_id,
            month=self.month,
            records=self.records,
            on_time=self.on_time,
            at=at,
        )


def due_on(calendar: Calendar, month: date) -> date:
    """The working day of the next month by which the ledger is closed. Raises CalendarUnknown.

    Source: D22
    """
    last = next_month(month) - timedelta(days=1)
    return calendar.add_business_days(last, standards.value("feedback_ledger_due", last))


def require_month_over(month: date, today: date) -> None:
    """Raises MonthNotOver."""
    if today < next_month(month):
        raise MonthNotOver("a ledger is compiled when its month is over")


def hash_entries(feedback_ids: Iterable[UUID]) -> str:
    """SHA-256 of the ids in order: what a signature answers for."""
    return hashlib.sha256(b"".join(each.bytes for each in sorted(feedback_ids))).hexdigest()


def _require_complete(missing: int) -> None:
    if missing:
        raise LedgerIncomplete(
            Text("{missing} records came in since it was compiled", missing=missing), missing=missing
        )
