"""Reporting publishes exactly its example messages, and every service that keeps holidays reads them."""

from datetime import date
from pathlib import Path
from uuid import UUID

import msgspec
import orjson

from reporting.holidays import events
from reporting.holidays.model import Notice
from shared.holidays import ANNOUNCED, Announced

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
    assert orjson.loads((EXAMPLES / "holidays.announced.v1.json").read_bytes()) == {
        "type": event.type,
        "subject": event.subject,
        "version": event.version,
        "day": event.day.isoformat(),
        "amount_fen": event.amount_fen,
        "data": event.data,
    }


def test_nothing_else_is_published_and_nobody_is_named():
    assert set(events.PUBLISHED) == {ANNOUNCED}
    assert {path.name for path in EXAMPLES.iterdir()} == {"holidays.announced.v1.json"}
    assert "entered_by" not in events.holidays_announced(NOTICE, 1, date(2026, 11, 5)).data


def test_what_is_published_is_what_every_service_reads():
    told = msgspec.convert(events.holidays_announced(NOTICE, 7, date(2026, 11, 5)).data, Announced)
    assert told == Announced(
        number=7, year=2027, rest_days=list(NOTICE.rest_days), workdays=list(NOTICE.workdays)
    )
