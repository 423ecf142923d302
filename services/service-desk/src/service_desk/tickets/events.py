"""The facts about tickets; payloads hold ids and numbers, never text of people."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Final, TypedDict
from uuid import UUID

from service_desk.kernel.texts import Channels, Kinds, Told, instant
from service_desk.kernel.vocabulary import Cause, ClockName, Fault, Severity
from service_desk.tickets.rules import Clock
from shared.clock import business_date
from shared.events import Event
from shared.texts import Branch, Cycle, Id, Instant, Label, Lot, Name, Reference, Seconds, one_of

Severities = Annotated[str, one_of(Severity)]
Causes = Annotated[str, one_of(Cause)]
Faults = Annotated[str, one_of(Fault)]
Clocks = Annotated[str, one_of(ClockName)]


class TicketOpened(TypedDict):
    """`opened_at` is the intake, from which the clocks run; it counts to the intake's day.

    `resolution_due_at` is null while it reaches into a year whose holidays are not announced.
    """

    ticket_id: Id
    number: Reference
    kind: Kinds
    channel: Channels
    branch_id: Branch
    customer_id: Reference | None
    severity: Severities
    opened_at: Instant
    sale_id: Reference | None
    product_id: Lot | None
    lot: Lot | None
    arranged_due_at: Instant
    resolution_due_at: Instant | None


class TicketAssigned(TypedDict):
    """A handler is assigned and has reached the customer: the 24-hour clock stopped after `arranged_s`."""

    ticket_id: Id
    branch_id: Branch
    arranged_s: Seconds
    on_time: bool


class ClockBreached(TypedDict):
    """Told once per clock and cycle; `late_s` is the lateness when it was noticed."""

    ticket_id: Id
    branch_id: Branch
    cycle: Cycle
    clock: Clocks
    late_s: Seconds


class ClockStopped(TypedDict):
    """What a clock measured, from its start to its stop; `on_time` is the clock's own, `staff_id` the handler then.

    `due_at` is null where it was never told, because holidays of its days were not announced.
    """

    ticket_id: Id
    branch_id: Branch
    cycle: Cycle
    clock: Clocks
    due_at: Instant | None
    stopped_at: Instant
    taken_s: Seconds
    on_time: bool
    staff_id: Label | None


class HandlerChanged(TypedDict):
    """The ticket was given to somebody, for the first time or again; `role` is that in which they handle it."""

    ticket_id: Id
    branch_id: Branch
    cycle: Cycle
    staff_id: Label
    role: Name


class TicketReopened(TypedDict):
    """A new cycle began, with a resolution clock of its own."""

    ticket_id: Id
    branch_id: Branch
    cycle: Cycle
    reopened_at: Instant
    resolution_due_at: Instant | None


class TicketArchived(TypedDict):
    """The file was closed: the customer confirmed, or could not be reached often enough."""

    ticket_id: Id
    branch_id: Branch
    cycle: Cycle
    customer_confirmed: bool


class TicketResolved(TypedDict):
    ticket_id: Id
    branch_id: Branch
    cycle: Cycle
    cause: Causes
    fault: Faults
    resolved_at: Instant
    on_time: bool


def ticket_opened(
    *,
    ticket_id: UUID,
    version: int,
    number: str,
    kind: str,
    channel: str,
    branch_id: str,
    customer_id: str | None,
    severity: str,
    opened_at: datetime,
    sale_id: str | None,
    product_id: str | None,
    lot: str | None,
    arranged_due_at: datetime,
    resolution_due_at: datetime | None,
) -> Event[TicketOpened]:
    """`opened_at` is the intake, from which the clocks run; it counts to the intake's day."""
    data: TicketOpened = {
        "ticket_id": str(ticket_id),
        "number": number,
        "kind": str(kind),
        "channel": str(channel),
        "branch_id": branch_id,
        "customer_id": customer_id,
        "severity": str(severity),
        "opened_at": instant(opened_at),
        "sale_id": sale_id,
        "product_id": product_id,
        "lot": lot,
        "arranged_due_at": instant(arranged_due_at),
        "resolution_due_at": _maybe(resolution_due_at),
    }
    return _ticket("opened", ticket_id, version, business_date(opened_at), data)


def ticket_assigned(
    *, ticket_id: UUID, version: int, branch_id: str, arranged_s: int, on_time: bool, at: datetime
) -> Event[TicketAssigned]:
    """A handler is assigned and has reached the customer: the 24-hour clock stopped after `arranged_s`."""
    data: TicketAssigned = {
        "ticket_id": str(ticket_id),
        "branch_id": branch_id,
        "arranged_s": arranged_s,
        "on_time": on_time,
    }
    return _ticket("assigned", ticket_id, version, business_date(at), data)


def clock_breached(
    *, ticket_id: UUID, version: int, branch_id: str, cycle: int, clock: str, late_s: int, at: datetime
) -> Event[ClockBreached]:
    """Told once per clock and cycle; `late_s` is the lateness when it was noticed."""
    data: ClockBreached = {
        "ticket_id": str(ticket_id),
        "branch_id": branch_id,
        "cycle": cycle,
        "clock": str(clock),
        "late_s": late_s,
    }
    return _ticket("clock_breached", ticket_id, version, business_date(at), data)


def clock_stopped(
    *, ticket_id: UUID, version: int, branch_id: str, clock: Clock, on_time: bool, staff_id: str | None
) -> Event[ClockStopped]:
    """What a clock measured that has stopped."""
    assert clock.stopped_at is not None
    data: ClockStopped = {
        "ticket_id": str(ticket_id),
        "branch_id": branch_id,
        "cycle": clock.cycle,
        "clock": str(clock.name),
        "due_at": _maybe(clock.due_at),
        "stopped_at": instant(clock.stopped_at),
        "taken_s": clock.taken_s(),
        "on_time": on_time,
        "staff_id": staff_id,
    }
    return _ticket("clock_stopped", ticket_id, version, business_date(clock.stopped_at), data)


def handler_changed(
    *, ticket_id: UUID, version: int, branch_id: str, cycle: int, staff_id: str, role: str, at: datetime
) -> Event[HandlerChanged]:
    data: HandlerChanged = {
        "ticket_id": str(ticket_id),
        "branch_id": branch_id,
        "cycle": cycle,
        "staff_id": staff_id,
        "role": role,
    }
    return _ticket("handler_changed", ticket_id, version, business_date(at), data)


def ticket_reopened(
    *, ticket_id: UUID, version: int, branch_id: str, cycle: int, due_at: datetime | None, at: datetime
) -> Event[TicketReopened]:
    data: TicketReopened = {
        "ticket_id": str(ticket_id),
        "branch_id": branch_id,
        "cycle": cycle,
        "reopened_at": instant(at),
        "resolution_due_at": _maybe(due_at),
    }
    return _ticket("reopened", ticket_id, version, business_date(at), data)


def ticket_archived(
    *, ticket_id: UUID, version: int, branch_id: str, cycle: int, customer_confirmed: bool, at: datetime
) -> Event[TicketArchived]:
    data: TicketArchived = {
        "ticket_id": str(ticket_id),
        "branch_id": branch_id,
        "cycle": cycle,
        "customer_confirmed": customer_confirmed,
    }
    return _ticket("archived", ticket_id, version, business_date(at), data)


def _maybe(at: datetime | None) -> str | None:
    return None if at is None else instant(at)


def ticket_resolved(
    *,
    ticket_id: UUID,
    version: int,
    branch_id: str,
    cycle: int,
    cause: str,
    fault: str,
    resolved_at: datetime,
    on_time: bool,
) -> Event[TicketResolved]:
    data: TicketResolved = {
        "ticket_id": str(ticket_id),
        "branch_id": branch_id,
        "cycle": cycle,
        "cause": str(cause),
        "fault": str(fault),
        "resolved_at": instant(resolved_at),
        "on_time": on_time,
    }
    return _ticket("resolved", ticket_id, version, business_date(resolved_at), data)


def _ticket(fact: str, ticket_id: UUID, version: int, day: date, data: Told) -> Event[Told]:
    return Event(
        type=f"service_desk.ticket.{fact}.v1", subject=str(ticket_id), version=version, day=day, data=data
    )


PUBLISHED: Final[Mapping[str, type]] = {
    "service_desk.ticket.opened.v1": TicketOpened,
    "service_desk.ticket.assigned.v1": TicketAssigned,
    "service_desk.ticket.clock_breached.v1": ClockBreached,
    "service_desk.ticket.resolved.v1": TicketResolved,
    "service_desk.ticket.clock_stopped.v1": ClockStopped,
    "service_desk.ticket.handler_changed.v1": HandlerChanged,
    "service_desk.ticket.reopened.v1": TicketReopened,
    "service_desk.ticket.archived.v1": TicketArchived,
}
