"""The facts about tickets; payloads hold ids and numbers, never text of people."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Final, TypedDict
from uuid import UUID

from service_desk.kernel.texts import Channels, Kinds, Told, instant
from service_desk.kernel.vocabulary import Cause, ClockName, Fault, Severity
from shared.clock import business_date
from shared.events import Event
from shared.texts import Branch, Cycle, Id, Instant, Lot, Reference, Seconds, one_of

Severities = Annotated[str, one_of(Severity)]
Causes = Annotated[str, one_of(Cause)]
Faults = Annotated[str, one_of(Fault)]
Clocks = Annotated[str, one_of(ClockName)]


class TicketOpened(TypedDict):
    """`opened_at` is the intake, from which the clocks run; it counts to the intake's day."""

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
}
