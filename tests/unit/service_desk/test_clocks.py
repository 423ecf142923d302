"""The 24-hour clock never sleeps; the resolution clock counts the working days of the PRC calendar."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_desk.standards import rules as standards
from service_desk.tickets import rules
from shared.calendar import Calendar, CalendarUnknown
from shared.clock import SHANGHAI, business_date

DAY = timedelta(hours=24)
KNOWN_INSTANTS = st.datetimes(datetime(2005, 1, 1), datetime(2026, 11, 30), timezones=st.just(UTC))
KINDS = st.sampled_from(
    [row.name.split(".")[1] for row in standards.STANDARDS if row.name.startswith("resolution.")]
)


PACKAGED = Calendar()


def due(kind, started_at, *, is_major=False, calendar=PACKAGED):
    days = rules.resolution_days(kind=kind, is_major=is_major, started_at=started_at)
    return rules.resolution_due(calendar, started_at, days)


def shanghai(text):
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.requirement("D7")
@given(KNOWN_INSTANTS)
def test_the_24_hours_are_elapsed_whatever_day_it_is(received_at):
    assert rules.arranged(received_at).due_at - received_at == DAY


@pytest.mark.requirement("D7")
@pytest.mark.parametrize(
    "received", ["2026-02-16T23:30", "2026-02-17T10:00", "2026-10-01T08:00", "2026-03-07T19:45"]
)
def test_the_24_hours_run_through_nights_spring_festival_and_weekends(received):
    received_at = shanghai(received)
    clock = rules.arranged(received_at)
    assert not clock.stop(received_at + DAY).is_late(received_at + DAY)
    assert clock.stop(received_at + DAY + timedelta(microseconds=1)).is_late(received_at + DAY)


@pytest.mark.requirement("D7")
def test_seconds_are_rounded_up_so_that_86400_means_in_time():
    clock = rules.arranged(shanghai("2026-03-02T09:00"))
    assert clock.stop(clock.due_at).taken_s() == 86_400
    assert clock.stop(clock.due_at + timedelta(milliseconds=1)).taken_s() == 86_401


@given(KNOWN_INSTANTS, st.timedeltas(timedelta(0), timedelta(days=9)), st.timedeltas(timedelta(0)))
def test_a_clock_stops_once(received_at, first, later):
    stopped = rules.arranged(received_at).stop(received_at + first)
    try:
        again = received_at + first + later
    except OverflowError:
        return
    assert stopped.stop(again) == stopped


@given(KNOWN_INSTANTS, st.timedeltas(timedelta(seconds=-90_000), timedelta(seconds=90_000)))
def test_late_means_a_positive_number_of_seconds_and_in_time_means_none(received_at, offset):
    clock = rules.arranged(received_at)
    stopped = replace(clock, stopped_at=clock.due_at + offset)
    assert (stopped.late_s(clock.due_at) > 0) == stopped.is_late(clock.due_at) == (offset > timedelta(0))


@pytest.mark.requirement("D10")
@given(KINDS, st.booleans(), KNOWN_INSTANTS)
def test_a_resolution_is_due_at_the_end_of_a_working_day_with_the_allowed_working_days_between(
    kind, is_major, started_at
):
    due_at = due(kind, started_at, is_major=is_major)
    last, day, worked = business_date(due_at) - timedelta(days=1), business_date(started_at), 0
    assert due_at.astimezone(SHANGHAI).time().isoformat() == "00:00:00"
    assert Calendar().is_workday(last)
    while day < last:
        day += timedelta(days=1)
        worked += Calendar().is_workday(day)
    allowed = standards.value(f"resolution.{kind}", business_date(started_at))
    assert worked == (min(allowed, 3) if is_major else allowed)


@pytest.mark.requirement("D10")
def test_spring_festival_does_not_count_for_a_resolution():
    due_at = due("consultation", shanghai("2026-02-13T10:00"))
    # Friday before the festival; the Saturday after it is a make-up working day.
    assert business_date(due_at) - timedelta(days=1) == date(2026, 2, 14)
    due_at = due("consultation", shanghai("2026-02-14T10:00"))
    assert business_date(due_at) - timedelta(days=1) == date(2026, 2, 24)


@pytest.mark.requirement("D10")
def test_a_make_up_saturday_counts_for_a_resolution():
    assert Calendar().is_workday(date(2026, 2, 28))
    assert date(2026, 2, 28).isoweekday() == 6
    due_at = due("consultation", shanghai("2026-02-27T10:00"))
    assert business_date(due_at) == date(2026, 3, 1)


def test_a_year_that_no_notice_announced_tells_no_due_moment():
    with pytest.raises(CalendarUnknown):
        due("complaint", shanghai("2098-05-01T10:00"))


@pytest.mark.requirement("D10")
def test_a_day_that_a_notice_changed_moves_the_due_moment():
    monday_off = Calendar(days={date(2026, 3, 9): False})
    assert due("consultation", shanghai("2026-03-06T10:00")) == shanghai("2026-03-10T00:00")
    assert due("consultation", shanghai("2026-03-06T10:00"), calendar=monday_off) == shanghai(
        "2026-03-11T00:00"
    )


@pytest.mark.requirement("D2", "D25")
def test_a_newer_standard_holds_from_its_day_on():
    old = standards.Standard(
        name="x", value=1, unit="s", effective_from=date(2020, 1, 1), source="D2", mark="test"
    )
    rows = [replace(old, value=2, effective_from=date(2025, 1, 1)), old]
    assert standards.value("x", date(2024, 12, 31), rows) == 1
    assert standards.value("x", date(2025, 1, 1), rows) == 2
    with pytest.raises(standards.StandardMissing):
        standards.value("x", date(2019, 12, 31), rows)
