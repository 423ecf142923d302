"""Reporting publishes exactly its example messages, and every service that keeps holidays reads them."""

from datetime import date
from pathlib import Path
from uuid import UUID

import msgspec
import orjson
import pytest

from reporting.holidays import events
from reporting.holidays.model import Notice
from reporting.organisation import events as organised
from reporting.organisation import model as organisation
from reporting.organisation.rules import Appointment, Branch, Department, Post, StaffMember
from reporting.training import events as trained
from reporting.training.rules import Training
from shared.holidays import Announced
from tests.support.organisation_world import (
    a_branch,
    a_department,
    a_member,
    a_post,
    a_training,
    an_appointment,
)

EXAMPLES = Path(__file__).parents[2] / "services/reporting/contracts/events"
NOTICE = Notice(
    id=UUID("0199b1c0-0000-7000-8000-000000000001"),
    reference="国办发明电〔2026〕9号",
    announced_on=date(2026, 11, 4),
    year=2027,
    rest_days=[date(2027, 1, day) for day in (1, 2, 3)],
    workdays=[date(2026, 12, 27)],
    entered_by="qing.qa",
)


def test_an_announcement_is_published_as_its_example_shows():
    event = events.holidays_announced(NOTICE, 1, date(2026, 11, 5))
    assert orjson.loads((EXAMPLES / "holidays.announced.v1.json").read_bytes()) == as_published(event)


def as_published(event):
    return {
        "type": event.type,
        "subject": event.subject,
        "version": event.version,
        "day": event.day.isoformat(),
        "amount_fen": event.amount_fen,
        "data": event.data,
    }


def test_nothing_else_is_published_and_nobody_is_named():
    declared = set(events.PUBLISHED) | set(organised.PUBLISHED) | set(trained.PUBLISHED)
    assert {f"{path.stem}" for path in EXAMPLES.iterdir()} == {
        each.removeprefix("reporting.") for each in declared
    }
    assert "entered_by" not in events.holidays_announced(NOTICE, 1, date(2026, 11, 5)).data


def test_what_is_published_is_what_every_service_reads():
    told = msgspec.convert(events.holidays_announced(NOTICE, 7, date(2026, 11, 5)).data, Announced)
    assert told == Announced(
        number=7, year=2027, rest_days=list(NOTICE.rest_days), workdays=list(NOTICE.workdays)
    )


REGISTERED = {
    "branch": organisation.Known(msgspec.convert(a_branch(closed_on="2026-12-31"), Branch), 2),
    "department": organisation.Known(msgspec.convert(a_department(), Department), 1),
    "post": organisation.Known(msgspec.convert(a_post(), Post), 1),
}


@pytest.mark.parametrize("noun", REGISTERED)
def test_a_change_of_the_organisation_is_published_as_its_example_shows(noun):
    event = organised.changed(REGISTERED[noun], date(2026, 12, 1))
    assert orjson.loads((EXAMPLES / f"{noun}.changed.v1.json").read_bytes()) == as_published(event)
    assert not {"name", "duties"} & set(event.data), "names and duties stay in the register"


def test_what_somebody_holds_is_published_as_its_example_shows():
    given = msgspec.convert(an_appointment(), Appointment)
    held = [(given, REGISTERED["post"].row)]
    known = organisation.Known(msgspec.convert(a_member(manager_id="bo.head"), StaffMember), 2)
    event = organised.staff_changed(known, held, date(2026, 12, 1))
    assert orjson.loads((EXAMPLES / "staff.changed.v1.json").read_bytes()) == as_published(event)


def test_a_training_is_published_as_its_example_shows():
    event = trained.training_recorded(msgspec.convert(a_training(), Training), date(2026, 12, 1))
    assert orjson.loads((EXAMPLES / "training.recorded.v1.json").read_bytes()) == as_published(event)
