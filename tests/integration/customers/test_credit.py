"""What an institution may owe is proposed by one, approved by two others, and held by one at once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.clock import business_date, utc_now
from tests.support.roles import behind

TODAY = business_date(utc_now())


def money(fen):
    return {"fen": fen, "currency": "CNY"}


def a_proposal(**odd):
    return {"limit": money(5_000_000), "overdue_tolerance": money(1_000), "reason": "年度评估", **odd}


@pytest.fixture
def pharmacy(caller, database):
    with database.begin() as conn:
        conn.execute(text("update customers set uscc = 'used-' || id where uscc not like 'used-%'"))
    body = {"kind": "pharmacy", "branch_id": "B1", "legal_name": "仁和药房", "uscc": "91110000600037341L"}
    return caller("cs_agent").post("/institutions", body).json["customer_id"]


def propose(caller, customer_id, *, role="salesperson", person=None, **odd):
    return caller(role, person=person).post(f"/customers/{customer_id}/credits", a_proposal(**odd))


def decide(caller, customer_id, credit_id, role, *, person=None, approved=True, **more):
    path = f"/customers/{customer_id}/credits/{credit_id}/decisions"
    return caller(role, person=person).post(
        path, {"decision": "approved" if approved else "rejected", **more}
    )


def grant(caller, customer_id, **odd):
    credit_id = propose(caller, customer_id, **odd).json["credit_id"]
    assert decide(caller, customer_id, credit_id, "finance_head").json["state"] == "proposed"
    granted = decide(caller, customer_id, credit_id, "business_head")
    assert granted.json["state"] == "effective", granted.json
    return granted.json


def hold(caller, customer_id, reason="欠款逾期"):
    return caller("finance_head").post(f"/customers/{customer_id}/credit-holds", {"reason": reason})


def standing(caller, customer_id):
    return caller("salesperson").get(f"/credit-standings/{customer_id}").json


@pytest.mark.requirement("C31", "F27", "X1")
def test_a_credit_takes_effect_with_the_second_approval_and_is_told(caller, pharmacy, events):
    assert standing(caller, pharmacy) == {"customer_id": pharmacy, "current": None, "proposed": None}
    until = TODAY + timedelta(days=365)
    credit_id = propose(caller, pharmacy, valid_until=str(until)).json["credit_id"]
    assert standing(caller, pharmacy)["proposed"]["credit_id"] == credit_id
    assert decide(caller, pharmacy, credit_id, "business_head").json["state"] == "proposed"
    assert events("customers.credit.changed.v1") == []
    granted = decide(caller, pharmacy, credit_id, "finance_head").json
    assert (granted["state"], granted["version"], granted["limit"]) == ("effective", 1, money(5_000_000))
    assert {each["role"] for each in granted["decisions"]} == {"finance_head", "business_head"}
    assert standing(caller, pharmacy)["current"] == granted
    assert events("customers.credit.changed.v1") == [
        (
            "customers.credit.changed.v1",
            {
                "customer_id": pharmacy,
                "branch_id": "B1",
                "limit_fen": 5_000_000,
                "overdue_tolerance_fen": 1_000,
                "on_hold": False,
                "valid_until": str(until),
                "credit_version": 1,
            },
        )
    ]


@pytest.mark.requirement("X1")
def test_who_proposes_does_not_approve_and_one_person_approves_once(caller, pharmacy):
    credit_id = propose(caller, pharmacy, role="business_head", person="head").json["credit_id"]
    own = decide(caller, pharmacy, credit_id, "business_head", person="head")
    assert (own.status_code, own.json["code"]) == (403, "approval_same_person")
    assert decide(caller, pharmacy, credit_id, "finance_head", person="double").status_code == 200
    twice = decide(caller, pharmacy, credit_id, "business_head", person="double")
    assert twice.json["code"] == "approval_same_person"
    assert decide(caller, pharmacy, credit_id, "business_head", person="other").json["state"] == "effective"
    again = decide(caller, pharmacy, credit_id, "finance_head", person="third")
    assert (again.status_code, again.json["code"]) == (409, "credit_proposal_ended")


@pytest.mark.requirement("C31")
def test_a_rejection_has_its_reason_and_ends_the_proposal(caller, pharmacy, events):
    credit_id = propose(caller, pharmacy).json["credit_id"]
    bare = decide(caller, pharmacy, credit_id, "finance_head", approved=False)
    assert bare.json["code"] == "approval_reason_missing"
    pending = propose(caller, pharmacy)
    assert (pending.status_code, pending.json["code"]) == (409, "credit_proposal_pending")
    ended = decide(caller, pharmacy, credit_id, "finance_head", approved=False, reason="资料不全")
    assert ended.json["state"] == "rejected"
    assert events("customers.credit.changed.v1") == []
    assert propose(caller, pharmacy).status_code == 201


@pytest.mark.requirement("F21", "F27")
def test_one_finance_head_holds_at_once_and_only_two_approvals_lift_it(caller, pharmacy, events):
    nothing = hold(caller, pharmacy)
    assert (nothing.status_code, nothing.json["code"]) == (409, "no_credit_to_hold")
    grant(caller, pharmacy)
    unaware = propose(caller, pharmacy, limit=money(9_000_000)).json["credit_id"]
    held = hold(caller, pharmacy).json
    assert (held["version"], held["on_hold"], held["limit"]) == (2, True, money(5_000_000))
    assert events("customers.credit.changed.v1")[-1][1]["on_hold"] is True
    late = decide(caller, pharmacy, unaware, "finance_head")
    assert late.json["code"] == "credit_proposal_ended"
    assert hold(caller, pharmacy).json["code"] == "no_credit_to_hold"
    lifted = grant(caller, pharmacy, reason="已收回欠款")
    assert (lifted["version"], lifted["on_hold"]) == (3, False)
    told = [data["credit_version"] for _, data in events("customers.credit.changed.v1")]
    assert told == [1, 2, 3]


@pytest.mark.requirement("C31")
def test_the_credit_archive_keeps_everything_in_pages_newest_first(caller, pharmacy):
    for limit in (1, 2, 3):
        grant(caller, pharmacy, limit=money(limit))
    hold(caller, pharmacy)
    path, shown, cursor = f"/customers/{pharmacy}/credits", [], None
    while True:
        page = caller("accountant").get(path, limit=2, **({"cursor": cursor} if cursor else {})).json
        shown += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [(each["version"], each["limit"]["fen"]) for each in shown] == [(4, 3), (3, 3), (2, 2), (1, 1)]
    assert len(shown[1]["decisions"]) == 2
    odd = caller("accountant").get(path, cursor="WyJ4Il0")
    assert (odd.status_code, odd.json["code"]) == (422, "cursor_invalid")


def test_a_proposal_is_found_by_those_who_decide_until_they_did(caller, pharmacy):
    def proposals(role, branches=("*",)):
        answer = caller(role, branches=list(branches)).get("/credits", state="proposed", limit=200)
        assert answer.status_code == 200, answer.json
        return {each["credit_id"] for each in answer.json["items"] if each["customer_id"] == pharmacy}

    credit_id = propose(caller, pharmacy).json["credit_id"]
    for role in ("business_head", "finance_head"):
        assert proposals(role) == {credit_id}
        assert proposals(role, ["B2"]) == set()
        decide(caller, pharmacy, credit_id, role)
    assert proposals("finance_head") == set()
    odd = caller("finance_head").get("/credits", state="rejected")
    assert (odd.status_code, odd.json["code"]) == (422, "payload_invalid")


@pytest.mark.requirement("C31")
def test_credits_that_end_are_listed_for_those_who_assess_them_anew(caller, pharmacy, database):
    grant(caller, pharmacy, limit=money(1))
    grant(caller, pharmacy, valid_until=str(TODAY + timedelta(days=20)))

    def listed(days=None, **query):
        if days is not None:
            query["until"] = str(TODAY + timedelta(days=days))
        branches = query.pop("branches", ["*"])
        answer = caller("finance_head", branches=branches).get("/credits", limit=200, **query)
        assert answer.status_code == 200, answer.json
        return [(each["customer_id"], each["version"]) for each in answer.json["items"]]

    mine = (pharmacy, 2)
    assert mine in listed(20)
    assert mine in listed()
    assert mine in listed(20, branches=["B1"])
    assert listed(branches=["B2"]) == []
    assert pharmacy not in {customer for customer, _ in listed(19)}
    first = caller("finance_head").get("/credits", limit=1).json
    second = caller("finance_head").get("/credits", limit=1, cursor=first["next_cursor"]).json
    assert first["items"][0]["customer_id"] < second["items"][0]["customer_id"]


@pytest.mark.requirement("C31")
def test_what_took_effect_never_changes(caller, pharmacy, database):
    credit_id = grant(caller, pharmacy)["credit_id"]
    for statement in (
        "update credits set limit_fen = 1 where credit_id = :id",
        "update credits set state = 'rejected', version = null where credit_id = :id",
        "delete from credit_decisions where credit_id = :id",
    ):
        with pytest.raises(DBAPIError, match="append-only"), behind(database) as conn:
            conn.execute(text(statement), {"id": credit_id})


@pytest.mark.requirement("C31")
def test_patients_get_no_credit_and_dates_and_branches_are_kept(caller, pharmacy):
    patient = {"name": "张三", "branch_id": "B1"}
    person = caller("till").post("/patients", patient).json["customer_id"]
    for answer in (
        propose(caller, person),
        hold(caller, person),
        caller("salesperson").get(f"/credit-standings/{person}"),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "not_an_institution")
    past = propose(caller, pharmacy, valid_until=str(TODAY - timedelta(days=1)))
    assert (past.status_code, past.json["code"]) == (422, "credit_dates_faulty")
    unknown = decide(caller, pharmacy, uuid4(), "finance_head")
    assert (unknown.status_code, unknown.json["code"]) == (404, "credit_unknown")
    foreign = caller("salesperson", branches=["B2"]).post(f"/customers/{pharmacy}/credits", a_proposal())
    assert (foreign.status_code, foreign.json["code"]) == (403, "foreign_branch")


@pytest.mark.requirement("C31")
def test_a_proposal_whose_last_day_has_passed_is_not_approved(caller, pharmacy, database):
    credit_id = propose(caller, pharmacy, valid_until=str(TODAY)).json["credit_id"]
    with behind(database) as conn:
        conn.execute(text("alter table credits disable trigger append_only"))
        conn.execute(
            text("update credits set valid_until = :day where credit_id = :id"),
            {"day": TODAY - timedelta(days=1), "id": credit_id},
        )
        conn.execute(text("alter table credits enable trigger append_only"))
    answer = decide(caller, pharmacy, credit_id, "finance_head")
    assert (answer.status_code, answer.json["code"]) == (422, "credit_dates_faulty")
