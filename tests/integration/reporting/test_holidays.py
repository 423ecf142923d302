"""Two persons announce holidays, and every service knows them: the same calendar whatever the order of events."""

from datetime import date
from itertools import permutations
from uuid import uuid4

import httpx
import pytest

from reporting.holidays import tables
from shared import holidays
from shared.calendar import CalendarUnknown
from shared.clock import utc_now
from shared.identity import system_actor
from shared.transaction import Tx
from tests.support import facts

LAW = ["2027-01-01", "2027-05-01", "2027-05-02", "2027-10-01", "2027-10-02", "2027-10-03"]
NOTICE = {
    "reference": "国办发明电〔2026〕9号",
    "announced_on": "2026-11-04",
    "year": 2027,
    "rest_days": LAW,
    "workdays": ["2027-02-20"],
}


@pytest.fixture(scope="module")
def notices(system):
    with httpx.Client(base_url=f"{system.url}/v1", trust_env=False, timeout=30) as client:

        def call(method, path, role, body=None, **odd):
            token = system.issuer.token(f"the-{role}", [role], odd.get("branches", ["*"]))
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
            return client.request(method, path, json=body, headers=headers)

        yield call


def entered(notices, **odd):
    answer = notices("POST", "/holiday-notices", "qa", {**NOTICE, "reference": uuid4().hex, **odd})
    assert answer.status_code == 201, answer.text
    return answer.json()


def decided(notices, notice, decision="approved", role="management", reason=None):
    body = {"decision": decision, "reason": reason}
    return notices("POST", f"/holiday-notices/{notice['holiday_notice_id']}/decisions", role, body)


def worked(notices, *days):
    shown = [notices("GET", f"/workdays?from={day}&until={day}", "qa").json()["items"] for day in days]
    return [each["is_workday"] for [each] in shown]


def test_a_year_is_known_once_another_person_approved_its_notice(notices, system):
    days = ("2027-01-01", "2027-02-20", "2027-02-21", "2027-02-22")
    assert worked(notices, *days) == [None] * 4
    notice = entered(notices)
    assert (notice["state"], notice["number"]) == ("pending", None)
    assert worked(notices, *days) == [None] * 4
    approved = decided(notices, notice)
    assert (approved.status_code, approved.json()["state"]) == (200, "approved"), approved.text
    assert worked(notices, *days) == [False, True, False, True]
    again = decided(notices, notice)
    assert (again.status_code, again.json()["code"]) == (409, "approval_already_decided")
    corrected = entered(notices, year=None, rest_days=["2027-02-22"], workdays=["2027-02-21"])
    assert decided(notices, corrected).json()["number"] == approved.json()["number"] + 1
    assert worked(notices, *days) == [False, True, True, False], "the later notice counts"


def test_a_rejected_notice_changes_nothing_and_says_why(notices):
    notice = entered(notices, year=None, rest_days=["2026-12-08"], workdays=[])
    silent = decided(notices, notice, "rejected")
    assert (silent.status_code, silent.json()["code"]) == (422, "approval_reason_missing")
    assert decided(notices, notice, "rejected", reason="No such notice").json()["state"] == "rejected"
    assert worked(notices, "2026-12-08") == [True]


def test_who_entered_a_notice_does_not_approve_it_and_a_branch_does_neither(notices, system):
    body = {**NOTICE, "reference": "mine"}
    mine = notices("POST", "/holiday-notices", "management", body).json()
    own = decided(notices, mine)
    assert (own.status_code, own.json()["code"]) == (403, "approval_same_person")
    twice = notices("POST", "/holiday-notices", "qa", body)
    assert (twice.status_code, twice.json()["code"]) == (409, "holiday_notice_pending")
    local = notices("POST", "/holiday-notices", "qa", {**body, "reference": "local"}, branches=["S1"])
    assert local.status_code == 403
    unknown = decided(notices, {"holiday_notice_id": uuid4()})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "holiday_notice_unknown")
    waiting = notices("GET", "/holiday-notices?state=pending", "management").json()["items"]
    assert "mine" in {each["reference"] for each in waiting}


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        ({"rest_days": LAW[1:]}, "statutory_day_missing"),
        ({"workdays": ["2027-02-22"]}, "made_up_on_weekday"),
        ({"rest_days": [*LAW, "2029-01-01"]}, "holiday_elsewhere"),
        ({"workdays": ["2027-01-01"]}, "payload_invalid"),
        ({"rest_days": [], "workdays": []}, "payload_invalid"),
        ({"year": "2027"}, "payload_invalid"),
        ({"rest_days": [f"2027-03-{day:02}" for day in range(1, 32)] * 4}, "payload_invalid"),
    ],
)
def test_what_only_a_slip_of_the_pen_can_say_is_refused(notices, odd, code):
    answer = notices("POST", "/holiday-notices", "qa", {**NOTICE, **odd})
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_every_order_of_notices_gives_the_same_calendar(system):
    told = [
        facts.holidays_announced(1001, year=2060, rest_days=["2060-01-01", "2060-01-02"]),
        facts.holidays_announced(1002, rest_days=["2060-03-05"], workdays=["2060-01-02"]),
        facts.holidays_announced(1003, workdays=["2060-03-05"], rest_days=["2061-01-01"]),
    ]
    seen = []
    for order in permutations(told):
        with system.database.begin() as conn:
            undone = conn.begin_nested()
            tx = Tx(conn=conn, actor=system_actor("reporting"), now=utc_now())
            for each in (*order, *order):
                [react] = holidays.area(tables).reactions
                react(tx, [each])
            calendar = holidays.calendar(conn)
            seen.append(
                [calendar.is_workday(date(2060, month, day)) for month, day in ((1, 1), (1, 2), (3, 5))]
            )
            with pytest.raises(CalendarUnknown):
                calendar.is_workday(date(2061, 1, 2))
            undone.rollback()
    assert seen == [[False, True, True]] * 6
