"""A survey is asked once per cycle, of the reporter alone, and answered once, in time, by its token."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_desk.kernel.vocabulary import Channel, Kind, Severity
from service_desk.surveys import model
from service_desk.surveys.model import Survey
from service_desk.tickets.model.states import Reporter, State
from service_desk.tickets.model.ticket import Ticket
from shared.calendar import Calendar
from shared.holidays import InForce
from shared.identity import Actor

SENT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TILL = Actor("till-3", frozenset({"till"}), frozenset({"B001"}))
GOOD = {"quality": 5, "service": 4, "price": 3}


def a_survey(**odd):
    return Survey(
        **{
            "id": UUID(int=2),
            "instrument_version": 1,
            "branch_id": "B001",
            "customer_id": "c1",
            "ticket_id": UUID(int=1),
            "cycle": 1,
            "campaign": None,
            "delivered": True,
            "token_hash": model.hash_of("token"),
            "sent_at": SENT,
            "expires_at": model.expiry(SENT),
            **odd,
        }
    )


PACKAGED = InForce(calendar=Calendar(), number=0)


def a_resolved_ticket(**odd):
    return Ticket(
        **{
            "id": UUID(int=1),
            "number": "TK-B001-2026-000001",
            "kind": Kind.COMPLAINT,
            "channel": Channel.PHONE,
            "branch_id": "B001",
            "customer_id": "c1",
            "severity": Severity.NORMAL,
            "reporter": Reporter.CUSTOMER,
            "holidays": PACKAGED,
            "received_at": SENT,
            "state": State.RESOLVED,
            **odd,
        }
    )


def answered(survey, actor=TILL, *, token="token", scores=None, handler="agent", at=SENT):
    return survey.answer(actor, token=token, scores=scores or GOOD, handler=handler, at=at)


@pytest.mark.requirement("D13")
def test_the_instrument_asks_quality_service_and_price():
    assert model.instrument_on(date(2026, 3, 2)).dimensions == ("quality", "service", "price")


@pytest.mark.requirement("D13")
@given(st.dictionaries(st.sampled_from(["quality", "service", "price", "speed"]), st.integers(-1, 7)))
def test_an_answer_rates_exactly_what_is_asked_from_one_to_five(scores):
    survey = a_survey()
    if set(scores) == set(GOOD) and all(1 <= score <= 5 for score in scores.values()):
        assert (
            survey.answer(TILL, token="token", scores=scores, handler=None, at=SENT).data["scores"] == scores
        )
    else:
        with pytest.raises(model.ScoresInvalid):
            survey.answer(TILL, token="token", scores=scores, handler=None, at=SENT)
        assert survey.answered_at is None


@pytest.mark.requirement("D12")
def test_a_survey_is_answered_once():
    survey = a_survey()
    assert answered(survey).data["answered_on"] == "2026-03-02"
    with pytest.raises(model.SurveyAlreadyAnswered):
        answered(survey)


def test_an_expired_survey_is_not_answered():
    survey = a_survey()
    with pytest.raises(model.SurveyExpired):
        answered(survey, at=survey.expires_at)
    answered(survey, at=survey.expires_at - timedelta(microseconds=1))


def test_a_wrong_token_an_undelivered_survey_and_the_handler_are_refused():
    with pytest.raises(model.SurveyTokenWrong):
        answered(a_survey(), token="guess")
    with pytest.raises(model.SurveyUndelivered):
        answered(a_survey(delivered=False))
    with pytest.raises(model.HandlerMayNotAnswer):
        answered(a_survey(), handler="till-3")


def test_nobody_rates_what_staff_raised_for_themselves():
    with pytest.raises(model.ReporterIsAgent):
        model.require_surveyable(a_resolved_ticket(reporter=Reporter.AGENT))


def test_a_survey_needs_a_customer_and_a_resolution():
    with pytest.raises(model.TicketHasNoCustomer):
        model.require_surveyable(a_resolved_ticket(customer_id=None))
    with pytest.raises(model.TicketNotResolved):
        model.require_surveyable(a_resolved_ticket(state=State.EXECUTING))
    assert model.require_surveyable(a_resolved_ticket()) == "c1"


@given(st.sampled_from([None, *Kind]), st.timedeltas(timedelta(0), timedelta(days=60)))
def test_the_cool_down_spares_everybody_but_those_who_complained(kind, since):
    at = SENT + since
    if kind in {Kind.COMPLAINT, Kind.QUALITY_COMPLAINT} or since >= timedelta(days=30):
        model.require_cooled_down(kind, SENT, at)
    else:
        with pytest.raises(model.CoolingDown):
            model.require_cooled_down(kind, SENT, at)


def test_before_the_first_instrument_nobody_is_asked():
    with pytest.raises(model.InstrumentMissing):
        model.instrument_on(date(1999, 1, 1))
