"""A ticket and the only ways its state may change.

    new → acknowledged → assigned → solution_proposed → agreed → executing → resolved → archived
    (a refused solution goes back to assigned; resolved or archived → reopened within 30 days, cycle + 1)

Each method refuses by name in a wrong state and returns the facts to publish. Nobody handles a ticket without
authority: managers assign and reopen, the handler works, quality matters belong to QA.
Source: D5, D6, D7, D9, D18, D19, D23, D27
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from service_desk import standards
from service_desk.kernel.vocabulary import Cause, Channel, ClockName, Fault, Kind, Severity
from service_desk.tickets import events, rules
from service_desk.tickets.model.states import (
    ALLOWED_IN,
    ESCALATED_WHEN_MAJOR,
    QUALITY,
    CustomerNotConfirmed,
    ReopenWindowClosed,
    Reporter,
    State,
)
from service_desk.tickets.rules import Clock
from shared.clock import business_date
from shared.events import Event
from shared.holidays import InForce
from shared.identity import Actor
from shared.languages import Text


@dataclass(kw_only=True)
class Ticket:
    """`version` counts published facts; `clocks` holds the clocks of the present cycle and the 24-hour clock.

    `holidays` is the calendar as it is known when the ticket is read. `assigned_at` and `contacted_at` are of the first cycle: they stop the 24-hour clock. `failed_contacts`
    counts this cycle's attempts that did not reach the customer.
    """

    id: UUID
    number: str
    kind: Kind
    channel: Channel
    branch_id: str
    customer_id: str | None
    severity: Severity
    reporter: Reporter
    received_at: datetime
    holidays: InForce
    state: State = State.NEW
    cycle: int = 1
    handler: str | None = None
    handler_role: str | None = None
    assigned_at: datetime | None = None
    contacted_at: datetime | None = None
    resolved_at: datetime | None = None
    cause: Cause | None = None
    fault: Fault | None = None
    failed_contacts: int = 0
    version: int = 0
    clocks: dict[ClockName, Clock] = field(default_factory=dict)

    @property
    def is_escalated_at_once(self) -> bool:
        """Major complaints and disputes go to the superior immediately.

        Source: D9
        """
        return self.severity is Severity.MAJOR and self.kind in ESCALATED_WHEN_MAJOR

    def audited(self) -> dict[str, Any]:
        """What the audit keeps of a step, before and after it."""
        return {"state": self.state, "cycle": self.cycle, "handler": self.handler, "version": self.version}

    def open(self, *, sale_id: str | None, product_id: str | None, lot: str | None) -> list[Event]:
        """Start the clocks and tell that it is there."""
        self.clocks = {
            ClockName.ARRANGED: rules.arranged(self.received_at),
            ClockName.RESOLUTION: self._resolution_clock(self.received_at),
        }
        arranged_due_at = self.clocks[ClockName.ARRANGED].due_at
        assert arranged_due_at is not None, "elapsed hours need no calendar"
        return [
            events.ticket_opened(
                ticket_id=self.id,
                version=self._next_version(),
                number=self.number,
                kind=self.kind,
                channel=self.channel,
                branch_id=self.branch_id,
                customer_id=self.customer_id,
                severity=self.severity,
                opened_at=self.received_at,
                sale_id=sale_id,
                product_id=product_id,
                lot=lot,
                arranged_due_at=arranged_due_at,
                resolution_due_at=self.clocks[ClockName.RESOLUTION].due_at,
            )
        ]

    def acknowledge(self) -> None:
        self._require("acknowledge")
        self.state = State.ACKNOWLEDGED

    def assign(self, actor: Actor, *, handler: str, role: str, at: datetime) -> list[Event]:
        """Give it to a handler (again, if need be). Managers assign; QA may assign quality matters.

        Raises TicketNotAssignable, AuthorityMissing, QualityBelongsToQa.
        """
        self._require("assign")
        if not ("cs_manager" in actor.roles or (self.kind in QUALITY and "qa" in actor.roles)):
            raise rules.AuthorityMissing("a manager of customer service assigns; QA assigns quality matters")
        if self.kind in QUALITY and role != "qa":
            raise rules.QualityBelongsToQa("a quality matter is handled by QA")
        self.handler, self.handler_role = handler, role
        if self.state in {State.NEW, State.ACKNOWLEDGED, State.REOPENED}:
            self.state = State.ASSIGNED
        self.assigned_at = self.assigned_at or at
        changed = events.handler_changed(
            ticket_id=self.id,
            version=self._next_version(),
            branch_id=self.branch_id,
            cycle=self.cycle,
            staff_id=handler,
            role=role,
            at=at,
        )
        return [changed, *self._stop_arranged(at)]

    def contact(self, *, reached: bool, at: datetime) -> list[Event]:
        """Note an attempt to speak with the customer; the first that reaches them counts for the 24 hours."""
        self._require("contact")
        if not reached:
            self.failed_contacts += 1
            return []
        self.contacted_at = self.contacted_at or at
        return self._stop_arranged(at)

    def propose(self, actor: Actor) -> None:
        """Raises SolutionNotProposable, NotTheHandler, QualityBelongsToQa."""
        self._require("propose")
        self._require_handler(actor)
        self.state = State.SOLUTION_PROPOSED

    def consent(self, actor: Actor, *, agreed: bool, reason: str | None, at: datetime) -> list[Event]:
        """Record what the customer said; a refusal says why and the handler proposes anew.

        Raises ConsentNotAwaited, NotTheHandler, QualityBelongsToQa, RefusalReasonMissing.
        """
        self._require("consent")
        self._require_handler(actor)
        if not agreed and not (reason or "").strip():
            raise rules.RefusalReasonMissing(
                "state why the customer refused", errors=[{"path": "reason", "message": "required"}]
            )
        self.state = State.AGREED if agreed else State.ASSIGNED
        self.contacted_at = self.contacted_at or at
        return self._stop_arranged(at)

    def execute(self, actor: Actor) -> None:
        """Raises SolutionNotAgreed, NotTheHandler, QualityBelongsToQa."""
        self._require("execute")
        self._require_handler(actor)
        self.state = State.EXECUTING

    def resolve(self, actor: Actor, *, cause: Cause, fault: Fault, at: datetime) -> list[Event]:
        """Done, with its cause and whose fault it was.
        Source: D10, D21

        Raises TicketNotExecuting, NotTheHandler, QualityBelongsToQa, CalendarUnknown.
        """
        self._require("resolve")
        self._require_handler(actor)
        clock = self.clocks[ClockName.RESOLUTION]
        days = self._resolution_days(clock.started_at)
        clock, on_time = rules.ended_on_time(clock, self.holidays, days, at)
        self.clocks[ClockName.RESOLUTION] = clock
        self.state, self.resolved_at = State.RESOLVED, at
        self.cause, self.fault = cause, fault
        facts = self.breach(ClockName.RESOLUTION, at)
        facts.append(self._stopped(ClockName.RESOLUTION, on_time=on_time))
        facts.append(
            events.ticket_resolved(
                ticket_id=self.id,
                version=self._next_version(),
                branch_id=self.branch_id,
                cycle=self.cycle,
                cause=cause,
                fault=fault,
                resolved_at=at,
                on_time=on_time,
            )
        )
        return facts

    def archive(self, actor: Actor, *, customer_confirmed: bool, at: datetime) -> list[Event]:
        """Close the file. Raises TicketNotArchivable, NotTheHandler, CustomerNotConfirmed.

        Source: D5, D6
        """
        self._require("archive")
        self._require_handler(actor)
        needed = standards.value("failed_contacts_to_archive", business_date(at))
        if not customer_confirmed and self.failed_contacts < needed:
            raise CustomerNotConfirmed(
                Text("the customer confirms, or {needed} attempts to reach them failed", needed=needed),
                failed_contacts=self.failed_contacts,
            )
        self.state = State.ARCHIVED
        return [
            events.ticket_archived(
                ticket_id=self.id,
                version=self._next_version(),
                branch_id=self.branch_id,
                cycle=self.cycle,
                customer_confirmed=customer_confirmed,
                at=at,
            )
        ]

    def reopen(self, actor: Actor, *, at: datetime) -> list[Event]:
        """A new cycle with a resolution clock of its own.

        Raises TicketNotReopenable, AuthorityMissing, ReopenWindowClosed.
        """
        self._require("reopen")
        if "cs_manager" not in actor.roles:
            raise rules.AuthorityMissing("a manager of customer service reopens")
        assert self.resolved_at is not None, "only what was resolved is reopened"
        window = timedelta(days=standards.value("reopen_window", business_date(at)))
        if at - self.resolved_at > window:
            raise ReopenWindowClosed(
                Text("it was resolved more than {days} days ago; open a new ticket", days=window.days)
            )
        self.cycle += 1
        self.state, self.resolved_at, self.cause, self.fault = State.REOPENED, None, None, None
        self.failed_contacts = 0
        clock = self.clocks[ClockName.RESOLUTION] = self._resolution_clock(at)
        return [
            events.ticket_reopened(
                ticket_id=self.id,
                version=self._next_version(),
                branch_id=self.branch_id,
                cycle=self.cycle,
                due_at=clock.due_at,
                at=at,
            )
        ]

    def compute_due(self) -> None:
        """Date the resolution clock by the notices that are known now. Raises CalendarUnknown."""
        clock = self.clocks[ClockName.RESOLUTION]
        days = self._resolution_days(clock.started_at)
        self.clocks[ClockName.RESOLUTION] = rules.dated(clock, self.holidays, days)

    def breach(self, name: ClockName, at: datetime) -> list[Event]:
        """Tell, once per clock, that its due moment passed."""
        clock = self.clocks[name]
        if clock.breached_at is not None or clock.due_at is None or not clock.is_late(at):
            return []
        self.clocks[name] = replace(clock, breached_at=at)
        return [
            events.clock_breached(
                ticket_id=self.id,
                version=self._next_version(),
                branch_id=self.branch_id,
                cycle=clock.cycle,
                clock=name,
                late_s=clock.late_s(at),
                at=at,
            )
        ]

    def _stop_arranged(self, at: datetime) -> list[Event]:
        """Arranged means assigned and contacted; whichever comes second stops the clock.

        Source: D7
        """
        clock = self.clocks[ClockName.ARRANGED]
        if not clock.is_running or self.assigned_at is None or self.contacted_at is None:
            return []
        clock = self.clocks[ClockName.ARRANGED] = clock.stop(at)
        facts = self.breach(ClockName.ARRANGED, at)
        facts.append(self._stopped(ClockName.ARRANGED, on_time=not clock.is_late(at)))
        facts.append(
            events.ticket_assigned(
                ticket_id=self.id,
                version=self._next_version(),
                branch_id=self.branch_id,
                arranged_s=clock.taken_s(),
                on_time=not clock.is_late(at),
                at=at,
            )
        )
        return facts

    def _stopped(self, name: ClockName, *, on_time: bool) -> Event:
        return events.clock_stopped(
            ticket_id=self.id,
            version=self._next_version(),
            branch_id=self.branch_id,
            clock=self.clocks[name],
            on_time=on_time,
            staff_id=self.handler,
        )

    def _resolution_clock(self, started_at: datetime) -> Clock:
        days = self._resolution_days(started_at)
        return rules.resolution(self.holidays, cycle=self.cycle, started_at=started_at, days=days)

    def _resolution_days(self, started_at: datetime) -> int:
        return rules.resolution_days(
            kind=self.kind, is_major=self.severity is Severity.MAJOR, started_at=started_at
        )

    def _require(self, action: str) -> None:
        allowed, refusal = ALLOWED_IN[action]
        if self.state not in allowed:
            raise refusal(
                Text(
                    "the ticket is {state}; this needs one of: {allowed}",
                    state=self.state,
                    allowed=", ".join(sorted(allowed)),
                ),
                state=str(self.state),
            )

    def _require_handler(self, actor: Actor) -> None:
        if self.kind in QUALITY and "qa" not in actor.roles:
            raise rules.QualityBelongsToQa("a quality matter is handled by QA")
        if actor.id != self.handler and "cs_manager" not in actor.roles:
            raise rules.NotTheHandler("only the handler, or a manager of customer service, does this")

    def _next_version(self) -> int:
        self.version += 1
        return self.version
