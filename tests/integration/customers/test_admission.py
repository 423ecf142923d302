"""An institution may buy when quality assurance and the business head say so, and until a licence ends."""

from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from customers.licences.jobs import follow_licences
from shared.clock import SHANGHAI, business_date, utc_now

ALL_PHARMACY = [
    "business_licence",
    "drug_operation_licence",
    "quality_agreement",
    "purchaser_authorisation",
    "pickup_authorisation",
    "pickup_identity",
]
TODAY = business_date(utc_now())


@pytest.fixture
def pharmacy(caller, database):
    with database.begin() as conn:
        conn.execute(text("update customers set uscc = 'used-' || id where uscc not like 'used-%'"))
    body = {"kind": "pharmacy", "branch_id": "B1", "legal_name": "仁和药房", "uscc": "91110000600037341L"}
    return caller("cs_agent", person="registrar").post("/institutions", body).json["customer_id"]


def a_licence(kind, valid_until=None, **changes):
    return {
        "type": kind,
        "number": f"N-{kind}",
        "issuer": "市场监督管理局",
        "scope": ["rx", "otc"] if kind == "drug_operation_licence" else [],
        "valid_from": "2020-01-01",
        "valid_until": str(valid_until) if valid_until else None,
        **changes,
    }


def submit(caller, customer_id, body, person="seller"):
    answer = caller("salesperson", person=person).post(f"/customers/{customer_id}/licences", body)
    assert answer.status_code == 201, answer.json
    return answer.json


def verify(caller, customer_id, licence_id, person="qa-1", approved=True, **more):
    return caller("qa", person=person).post(
        f"/customers/{customer_id}/licences/{licence_id}/decisions", word(approved) | more
    )


def word(approved):
    return {"decision": "approved" if approved else "rejected"}


def approve(caller, customer_id, person="head-1", approved=True, **more):
    return caller("business_head", person=person).post(
        f"/customers/{customer_id}/decisions", word(approved) | more
    )


def admit(caller, customer_id, ends=None):
    ids = {}
    for kind in ALL_PHARMACY:
        until = ends if kind == "drug_operation_licence" else None
        ids[kind] = submit(caller, customer_id, a_licence(kind, until))["licence_id"]
    for licence_id in ids.values():
        assert verify(caller, customer_id, licence_id).status_code == 200
    assert approve(caller, customer_id).json["customer_state"] == "active"
    return ids


def permission(caller, customer_id, **query):
    return caller("salesperson").get(f"/trade-permissions/{customer_id}", **query).json


def midnight_after(day):
    """24:00 of a day in Shanghai, as an instant."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)


@pytest.mark.requirement("C28", "X1")
def test_a_lead_becomes_active_by_documents_verification_and_approval(caller, pharmacy, events):
    status = [submit(caller, pharmacy, a_licence(kind))["customer_state"] for kind in ALL_PHARMACY]
    assert status == ["lead"] * 5 + ["applicant"]
    licences = caller("qa").get(f"/customers/{pharmacy}/licences").json["items"]
    status = [verify(caller, pharmacy, each["licence_id"]).json["customer_state"] for each in licences]
    assert set(status) == {"applicant"}
    assert permission(caller, pharmacy)["reasons"] == ["status_applicant"]
    approved = approve(caller, pharmacy).json
    assert (approved["approval"], approved["customer_state"]) == ("approved", "active")
    answer = permission(caller, pharmacy, categories="otc,rx")
    assert (answer["allowed"], answer["categories"], answer["valid_until"]) == (True, ["otc", "rx"], None)
    versions = [data["permission_version"] for _, data in events("customers.permission.changed.v1")]
    assert versions == list(range(2, len(versions) + 2))  # 1 came with the registration
    assert events("customers.permission.changed.v1")[-1][1]["allowed"] is True
    assert len(events("customers.licence.verified.v1")) == 6
    assert answer["permission_version"] == versions[-1]


@pytest.mark.requirement("C28")
def test_the_business_head_may_decide_before_quality_assurance(caller, pharmacy):
    ids = [submit(caller, pharmacy, a_licence(kind))["licence_id"] for kind in ALL_PHARMACY]
    assert approve(caller, pharmacy).json["approval"] == "pending"
    status = [verify(caller, pharmacy, each).json["customer_state"] for each in ids]
    assert status == ["applicant"] * 5 + ["active"]


@pytest.mark.requirement("X1")
def test_nobody_checks_their_own_work(caller, pharmacy):
    assert approve(caller, pharmacy).json["code"] == "nothing_to_approve"
    ids = [
        submit(caller, pharmacy, a_licence(kind), person="two-hats")["licence_id"] for kind in ALL_PHARMACY
    ]
    assert verify(caller, pharmacy, ids[0], person="two-hats").json["code"] == "licence_same_person"
    assert (
        caller("cs_manager")
        .post(f"/customers/{pharmacy}/licences/{ids[0]}/decisions", word(True))
        .status_code
        == 403
    )
    assert approve(caller, pharmacy, person="two-hats").json["code"] == "approval_same_person"
    assert approve(caller, pharmacy, person="registrar").json["code"] == "approval_same_person"
    verify(caller, pharmacy, ids[0], person="checker")
    assert approve(caller, pharmacy, person="checker").json["code"] == "approval_same_person"
    assert approve(caller, pharmacy).status_code == 200
    assert approve(caller, pharmacy).json["code"] == "approval_same_person"


def test_new_documents_void_an_earlier_approval(caller, pharmacy):
    ids = [submit(caller, pharmacy, a_licence(kind))["licence_id"] for kind in ALL_PHARMACY]
    approve(caller, pharmacy)
    rejected = verify(caller, pharmacy, ids[0], approved=False)
    assert rejected.json["code"] == "rejection_needs_reason"
    assert verify(caller, pharmacy, ids[0], approved=False, reason="模糊").json["state"] == "rejected"
    replacement = submit(caller, pharmacy, a_licence(ALL_PHARMACY[0]))["licence_id"]
    status = [verify(caller, pharmacy, each).json["customer_state"] for each in [replacement, *ids[1:]]]
    assert set(status) == {"applicant"}
    assert approve(caller, pharmacy, person="head-2").json["customer_state"] == "active"


def test_a_rejected_applicant_waits_for_new_documents(caller, pharmacy):
    for kind in ALL_PHARMACY:
        submit(caller, pharmacy, a_licence(kind))
    assert approve(caller, pharmacy, approved=False).json["code"] == "approval_reason_missing"
    assert approve(caller, pharmacy, approved=False, reason="信用不足").json["approval"] == "rejected"
    assert approve(caller, pharmacy, person="head-2").json["code"] == "approval_already_decided"


@pytest.mark.requirement("C28")
def test_at_midnight_a_licence_ends_and_the_next_order_is_refused_with_the_reason(
    caller, pharmacy, events, as_system
):
    last = TODAY + timedelta(days=40)
    admit(caller, pharmacy, ends=last)
    assert permission(caller, pharmacy)["valid_until"] == last.isoformat()
    assert permission(caller, pharmacy, on=last)["allowed"]
    late = permission(caller, pharmacy, on=last + timedelta(days=1))
    assert (late["allowed"], late["reasons"]) == (False, ["licence_expired:drug_operation_licence"])

    midnight = midnight_after(last)
    assert as_system(follow_licences, midnight - timedelta(seconds=1)) == 0
    assert as_system(follow_licences, midnight) == 1
    assert as_system(follow_licences, midnight) == 0
    assert events("customers.licence.expired.v1")[0][1]["type"] == "drug_operation_licence"
    changed = events("customers.permission.changed.v1")[-1][1]
    assert (changed["allowed"], changed["reasons"]) == (False, ["licence_expired:drug_operation_licence"])
    seen = caller("qa").get(f"/customers/{pharmacy}").json
    assert (seen["state"], seen["suspended_for"]) == ("suspended", "licence")

    renewed = submit(caller, pharmacy, a_licence("drug_operation_licence", scope=["otc"]))
    verified = verify(caller, pharmacy, renewed["licence_id"]).json
    assert verified["customer_state"] == "active"
    answer = permission(caller, pharmacy, categories="rx")
    assert (answer["allowed"], answer["reasons"]) == (False, ["category_not_in_scope:rx"])
    assert events("customers.permission.changed.v1")[-1][1]["categories"] == ["otc"]


@pytest.mark.requirement("C28")
def test_a_successor_takes_over_at_midnight_without_suspension(caller, pharmacy, events, as_system):
    last = TODAY + timedelta(days=20)
    admit(caller, pharmacy, ends=last)
    next_day = last + timedelta(days=1)
    heir = a_licence("drug_operation_licence", valid_from=next_day.isoformat(), scope=["otc"])
    verify(caller, pharmacy, submit(caller, pharmacy, heir)["licence_id"])
    assert as_system(follow_licences, midnight_after(last)) == 1
    assert events("customers.licence.expired.v1") == []
    changed = events("customers.permission.changed.v1")[-1][1]
    assert (changed["allowed"], changed["categories"]) == (True, ["otc"])
    assert caller("qa").get(f"/customers/{pharmacy}").json["state"] == "active"


def test_faulty_licences_are_refused_by_name(caller, pharmacy):
    seller = caller("salesperson")
    for body, code in (
        (a_licence("driving_licence"), "licence_type_unknown"),
        (
            a_licence("business_licence", valid_from="2026-01-02", valid_until="2026-01-01"),
            "licence_dates_faulty",
        ),
        (a_licence("business_licence", file_sha256="abc"), "payload_invalid"),
    ):
        assert seller.post(f"/customers/{pharmacy}/licences", body).json["code"] == code
    ended = submit(caller, pharmacy, a_licence("business_licence", valid_until="2020-12-31"))["licence_id"]
    assert verify(caller, pharmacy, ended).json["code"] == "licence_ended"
    first = submit(caller, pharmacy, a_licence("business_licence"))["licence_id"]
    again = submit(caller, pharmacy, a_licence("business_licence"))["licence_id"]
    assert verify(caller, pharmacy, first).status_code == 200
    assert verify(caller, pharmacy, first).json["code"] == "licence_already_decided"
    assert verify(caller, pharmacy, again).json["code"] == "licence_overlaps"
    patient = caller("cs_agent").post("/patients", {"name": "病人", "branch_id": "B1"}).json["customer_id"]
    assert (
        seller.post(f"/customers/{patient}/licences", a_licence("business_licence")).json["code"]
        == "not_an_institution"
    )
    assert permission(caller, patient)["allowed"]


def test_a_licence_that_is_not_there_is_not_found(caller, pharmacy):
    answer = verify(caller, pharmacy, uuid4())
    assert (answer.status_code, answer.json["code"]) == (404, "licence_not_found")
