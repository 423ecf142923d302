"""Surveys over HTTP: one per cycle, delivered or not, answered once by token, never by who is rated."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from service_desk.surveys import commands
from service_desk.tickets import commands as tickets
from shared.clock import utc_now
from shared.errors import DomainError

GOOD = {"quality": 5, "service": 4, "price": 3}


def answer(desk, survey, *, scores=None, token=None, person="till-1", roles=("till",)):
    return desk.call(
        "POST",
        f"/surveys/{survey['survey_id']}/answers",
        {"token": token or survey["token"], "scores": scores or GOOD},
        person=person,
        roles=roles,
    )


@pytest.mark.requirement("D12", "D13", "D32")
def test_a_resolved_ticket_is_surveyed_and_answered_in_three_dimensions(desk):
    ticket = desk.resolved()
    survey = desk.surveyed(ticket["ticket_id"])
    told = answer(desk, survey)
    assert (told.status_code, told.json["scores"]) == (201, GOOD)
    assert "token" not in told.json
    sent, answered = desk.facts(survey["survey_id"])
    assert sent == (
        "survey.sent.v1",
        {
            "survey_id": survey["survey_id"],
            "branch_id": "B001",
            "customer_id": ticket["customer_id"],
            "ticket_id": ticket["ticket_id"],
            "delivered": True,
        },
    )
    assert answered[1]["scores"] == GOOD


def test_a_survey_is_not_answered_twice_nor_by_a_guess_nor_by_the_handler(desk):
    survey = desk.surveyed(desk.resolved()["ticket_id"])
    assert answer(desk, survey, token="guess").json["code"] == "survey_token_wrong"
    handler = answer(desk, survey, person="agent", roles=("cs_agent",))
    assert (handler.status_code, handler.json["code"]) == (403, "survey_handler_may_not_answer")
    faulty = answer(desk, survey, scores={"quality": 6, "service": 4})
    assert (faulty.status_code, faulty.json["code"]) == (422, "survey_scores_invalid")
    assert len(faulty.json["errors"]) == 2
    assert answer(desk, survey).status_code == 201
    again = answer(desk, survey)
    assert (again.status_code, again.json["code"]) == (409, "survey_already_answered")
    assert [kind for kind, _ in desk.facts(survey["survey_id"])] == ["survey.sent.v1", "survey.answered.v1"]


def test_an_expired_survey_is_refused(desk):
    survey = desk.surveyed(desk.resolved()["ticket_id"])

    def late(tx):
        commands.answer_survey(tx, survey["survey_id"], token=survey["token"], scores=GOOD, comment=None)

    with pytest.raises(DomainError) as refusal:
        desk.at(utc_now() + timedelta(days=14, hours=1), late)
    assert refusal.value.code == "survey_expired"


def test_a_cycle_is_asked_once_but_a_failed_delivery_does_not_count(desk):
    ticket = desk.resolved()
    undelivered = desk.surveyed(ticket["ticket_id"], delivered=False)
    assert answer(desk, undelivered).json["code"] == "survey_undelivered"
    desk.surveyed(ticket["ticket_id"])
    again = desk.call("POST", "/surveys", {"ticket_id": ticket["ticket_id"]})
    assert (again.status_code, again.json["code"]) == (409, "survey_already_sent")
    assert [fact["delivered"] for _, fact in desk.facts(undelivered["survey_id"])] == [False]


def test_each_cycle_of_a_complaint_is_asked_even_in_the_cool_down(desk):
    ticket = desk.resolved()
    path = f"/tickets/{ticket['ticket_id']}"
    desk.surveyed(ticket["ticket_id"])
    # In a year whose calendar is known, whenever this runs.
    then = datetime(2026, 6, 3, tzinfo=UTC)
    desk.at(then, lambda tx: tickets.reopen_ticket(tx, ticket["ticket_id"], reason="again"))
    desk.call("POST", f"{path}/propose", {"solution": "x"})
    assert (
        desk.call("POST", "/surveys", {"ticket_id": ticket["ticket_id"]}).json["code"]
        == "survey_ticket_not_resolved"
    )
    desk.call("POST", f"{path}/answer", {"answer": "accepted"})
    desk.call("POST", f"{path}/execute")
    desk.call("POST", f"{path}/resolve", {"cause": "other", "fault": "ours", "resolution": "x"})
    assert desk.surveyed(ticket["ticket_id"])["cycle"] == 2


def test_others_are_left_in_peace_for_thirty_days(desk):
    ticket = desk.resolved(kind="consultation")
    desk.surveyed(ticket["ticket_id"])
    campaign = {"campaign": "2026-Q4", "customer_id": ticket["customer_id"], "branch_id": "B001"}
    refused = desk.call("POST", "/surveys", campaign)
    assert (refused.status_code, refused.json["code"]) == (409, "survey_cooling_down")
    later = {**campaign, "ticket_id": None, "delivered": True}
    survey_id, _ = desk.at(utc_now() + timedelta(days=31), lambda tx: commands.send_survey(tx, later))
    assert desk.call("GET", f"/surveys/{survey_id}").json["campaign"] == "2026-Q4"


def test_nobody_is_asked_about_what_staff_raised_or_without_a_customer(desk):
    own = desk.resolved(reporter="agent")
    assert (
        desk.call("POST", "/surveys", {"ticket_id": own["ticket_id"]}).json["code"]
        == "survey_reporter_is_agent"
    )
    walk_in = desk.resolved(customer_id=None)
    refused = desk.call("POST", "/surveys", {"ticket_id": walk_in["ticket_id"]})
    assert refused.json["code"] == "survey_ticket_without_customer"


def test_an_invitation_names_a_ticket_or_a_whole_campaign(desk):
    assert len(desk.call("POST", "/surveys", {}).json["errors"]) == 3
    both = {"ticket_id": desk.resolved()["ticket_id"], "branch_id": "B001"}
    assert desk.call("POST", "/surveys", both).json["errors"][0]["path"] == "branch_id"


def test_two_invitations_at_once_become_one(desk):
    ticket = desk.resolved()
    answers = []

    def send():
        answers.append(desk.call("POST", "/surveys", {"ticket_id": ticket["ticket_id"]}).status_code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409, 409, 409]


def test_the_token_is_stored_only_as_a_hash(desk):
    survey = desk.surveyed(desk.resolved()["ticket_id"])
    (row,) = desk.rows(
        "select encode(token_hash, 'hex') as hash from surveys where id = :id", id=survey["survey_id"]
    )
    assert survey["token"] not in row["hash"]
    assert "token" not in desk.call("GET", f"/surveys/{survey['survey_id']}").json


def test_what_is_not_there_is_not_found_by_name(desk):
    surveyed = desk.call("GET", f"/surveys/{uuid4()}")
    assert (surveyed.status_code, surveyed.json["code"]) == (404, "survey_not_found")
    escalated = desk.as_manager("POST", f"/escalations/{uuid4()}/acknowledge")
    assert (escalated.status_code, escalated.json["code"]) == (404, "escalation_not_found")
