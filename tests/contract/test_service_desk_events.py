"""The service desk emits exactly its examples, and accepts every example of what it reads."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from deploy.generate.repository import examples
from service_desk.feedback import events as feedback
from service_desk.kernel.vocabulary import ClockName
from service_desk.known.reactions import REACTIONS, READS
from service_desk.surveys import events as surveys
from service_desk.tickets import events as tickets
from service_desk.tickets.rules import Clock
from shared.clock import business_date

FOLDER = Path(__file__).parents[2] / "services" / "service-desk" / "contracts" / "events"
AT = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
TICKET = UUID("01933a10-0000-7000-8000-000000000001")
SURVEY = UUID("01933a10-0000-7000-8000-000000000002")
FEEDBACK = UUID("01933a10-0000-7000-8000-000000000003")
LEDGER = UUID("01933a10-0000-7000-8000-000000000004")
CUSTOMER = "01933a10-0000-7000-8000-00000000000c"

EMITTED = (
    tickets.ticket_opened(
        ticket_id=TICKET,
        version=1,
        number="TK-B001-2026-000001",
        kind="complaint",
        channel="phone",
        branch_id="B001",
        customer_id=CUSTOMER,
        severity="normal",
        opened_at=AT,
        sale_id="01933a10-0000-7000-8000-00000000000a",
        product_id="P-1001",
        lot="L2026-07",
        arranged_due_at=AT + timedelta(days=1),
        resolution_due_at=AT + timedelta(days=10),
    ),
    tickets.ticket_assigned(
        ticket_id=TICKET, version=2, branch_id="B001", arranged_s=5400, on_time=True, at=AT
    ),
    tickets.clock_breached(
        ticket_id=TICKET,
        version=3,
        branch_id="B001",
        cycle=1,
        clock="resolution",
        late_s=12,
        at=AT,
    ),
    tickets.ticket_resolved(
        ticket_id=TICKET,
        version=4,
        branch_id="B001",
        cycle=1,
        cause="packaging",
        fault="ours",
        resolved_at=AT,
        on_time=False,
    ),
    tickets.handler_changed(
        ticket_id=TICKET, version=5, branch_id="B001", cycle=1, staff_id="agent-7", role="cs_agent", at=AT
    ),
    tickets.clock_stopped(
        ticket_id=TICKET,
        version=6,
        branch_id="B001",
        clock=Clock(
            name=ClockName.RESOLUTION,
            cycle=1,
            started_at=AT - timedelta(days=2),
            due_at=AT + timedelta(days=3),
            stopped_at=AT,
        ),
        on_time=True,
        staff_id="agent-7",
    ),
    tickets.ticket_archived(
        ticket_id=TICKET, version=7, branch_id="B001", cycle=1, customer_confirmed=True, at=AT
    ),
    tickets.ticket_reopened(
        ticket_id=TICKET, version=8, branch_id="B001", cycle=2, due_at=AT + timedelta(days=5), at=AT
    ),
    surveys.survey_sent(
        survey_id=SURVEY,
        branch_id="B001",
        customer_id=CUSTOMER,
        ticket_id=TICKET,
        delivered=True,
        at=AT,
    ),
    surveys.survey_answered(
        survey_id=SURVEY,
        instrument_version=1,
        branch_id="B001",
        customer_id=CUSTOMER,
        ticket_id=TICKET,
        scores={"quality": 5, "service": 4, "price": 3},
        at=AT,
    ),
    feedback.feedback_recorded(
        feedback_id=FEEDBACK,
        ticket_id=TICKET,
        branch_id="B001",
        month=date(2026, 11, 1),
        channel="phone",
        kind="complaint",
        taken_on=business_date(AT),
    ),
    feedback.feedback_ledger_closed(
        ledger_id=LEDGER, branch_id="B001", month=date(2026, 10, 1), records=17, on_time=True, at=AT
    ),
)


@pytest.mark.parametrize("event", EMITTED, ids=lambda event: event.type)
def test_an_event_is_emitted_as_its_example_shows(event):
    example = orjson.loads((FOLDER / f"{event.type}.json").read_bytes())
    assert example == {
        "type": event.type,
        "subject": event.subject,
        "version": event.version,
        "day": event.day.isoformat(),
        "amount_fen": event.amount_fen,
        "data": event.data,
    }


def test_every_example_is_emitted_by_a_builder():
    assert {path.stem for path in FOLDER.glob("*.json")} == {event.type for event in EMITTED}


def test_no_event_carries_text_of_people():
    named = {name for event in EMITTED for name in event.data}
    assert not named & {"subject", "text", "note", "comment", "name", "phone"}


def test_every_event_that_is_read_has_a_reader_and_a_reaction():
    assert set(READS) == set(REACTIONS)


def test_every_example_of_others_that_is_read_is_accepted():
    for example in examples():
        if example.type in READS:
            READS[example.type](example.data)
