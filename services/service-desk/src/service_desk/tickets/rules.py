"""Clocks of a ticket: values with an explicit start and stop, one per name and cycle.

`arranged` runs in elapsed time, day and night, and cannot be paused; `resolution` counts working days of the
PRC calendar. A clock never changes another one (a late answer does not overrule an early one).
Source: D7, D10
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from service_desk import standards
from service_desk.kernel.vocabulary import ClockName
from shared.calendar import Calendar, CalendarUnknown
from shared.clock import business_date
from shared.errors import Forbidden, Invalid
from shared.holidays import InForce


class NotTheHandler(Forbidden):
    code = "not_the_handler"
    cure = "Let the handler do it, or have the ticket assigned to you."


class AuthorityMissing(Forbidden):
    code = "authority_missing"
    cure = "Let a manager of customer service do it, or QA where the matter is one of quality."


class QualityBelongsToQa(Forbidden):
    code = "quality_belongs_to_qa"
    cure = "Assign the ticket to QA."


class RefusalReasonMissing(Invalid):
    code = "refusal_reason_missing"
    cure = "Send the answer with `reason`: why the customer refused."


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One span that is measured; stopping at `due_at` exactly is in time.

    `due_at` is None while it reaches into a year whose holidays are not announced. `calendar_no` is the number of the
    newest notice of holidays that it was computed with; 0 where no working days are counted.
    """

    name: ClockName
    cycle: int
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None = None
    breached_at: datetime | None = None
    calendar_no: int = 0

    @property
    def is_running(self) -> bool:
        return self.stopped_at is None

    def stop(self, at: datetime) -> "Clock":
        """Stopped at `at`; a clock stops once, later stops change nothing."""
        return self if self.stopped_at else replace(self, stopped_at=at)

    def is_late(self, at: datetime) -> bool:
        """Whether the due moment had passed when it stopped, or has at `at` when it still runs."""
        assert self.due_at is not None, "a due moment is computed before lateness is asked for"
        return (self.stopped_at or at) > self.due_at

    def late_s(self, at: datetime) -> int:
        """Whole seconds past due, rounded up; 0 in time."""
        assert self.due_at is not None
        return max(0, _seconds_up((self.stopped_at or at) - self.due_at))

    def taken_s(self) -> int:
        """Whole seconds from start to stop, rounded up, so that 86 400 s means "not a moment longer".

        Never below 0, also when the intake was written down with a clock that ran ahead.
        """
        assert self.stopped_at is not None
        return max(0, _seconds_up(self.stopped_at - self.started_at))


def _seconds_up(span: timedelta) -> int:
    """`span` in whole seconds, rounded up."""
    return -(-span // timedelta(seconds=1))


def arranged(received_at: datetime) -> Clock:
    """The 24-hour clock: elapsed seconds from intake, through nights and holidays.

    Source: D7
    """
    limit_s = standards.value("arranged", business_date(received_at))
    return Clock(
        name=ClockName.ARRANGED,
        cycle=1,
        started_at=received_at,
        due_at=received_at + timedelta(seconds=limit_s),
    )


def resolution_days(*, kind: str, is_major: bool, started_at: datetime) -> int:
    """Working days after the day of the start; a major matter takes the shorter of its kind's standard and its own.

    Source: D9, D10
    """
    day = business_date(started_at)
    allowed = standards.value(f"resolution.{kind}", day)
    return min(allowed, standards.value("resolution.major", day)) if is_major else allowed


def resolution_due(calendar: Calendar, started_at: datetime, days: int) -> datetime:
    """Midnight in Shanghai that ends the last allowed working day (UTC instant). Raises CalendarUnknown."""
    return calendar.end_of_business_day(started_at, days).astimezone(UTC)


def resolution(known: InForce, *, cycle: int, started_at: datetime, days: int) -> Clock:
    """The clock of the kind's standard; its due moment stays None while the calendar cannot tell it."""
    clock = Clock(name=ClockName.RESOLUTION, cycle=cycle, started_at=started_at, due_at=None)
    try:
        return dated(clock, known, days)
    except CalendarUnknown:
        return replace(clock, calendar_no=known.number)


def dated(clock: Clock, known: InForce, days: int) -> Clock:
    """Due as the notices that are known now tell it. Raises CalendarUnknown."""
    due_at = resolution_due(known.calendar, clock.started_at, days)
    return replace(clock, due_at=due_at, calendar_no=known.number)


def ended_on_time(clock: Clock, known: InForce, days: int, at: datetime) -> tuple[Clock, bool]:
    """The clock stopped at `at`, and whether in time: told without a due moment where the days that passed are known.

    Raises CalendarUnknown where they are not.
    """
    if clock.due_at is None:
        try:
            clock = dated(clock, known, days)
        except CalendarUnknown:
            within = known.calendar.is_within(business_date(clock.started_at), business_date(at), days)
            return clock.stop(at), within
    return clock.stop(at), not clock.is_late(at)
