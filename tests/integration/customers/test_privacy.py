"""Personal data is read in clear for a purpose and with a trace, and forgotten for good."""

import pytest
from sqlalchemy import text

from customers.loyalty import reactions
from tests.support import points

PERSON = {"name": "张三", "phone": "13812341234", "birthday": "1990-05-06", "branch_id": "B1", "code": None}


def a_patient(caller, **changes):
    body = {key: value for key, value in {**PERSON, **changes}.items() if value is not None}
    return caller("cs_agent").post("/patients", body).json["customer_id"]


def audit_of(database, customer_id, action):
    with database.begin() as conn:
        return conn.execute(
            text("select actor, roles from audit where subject = :subject and action like :action"),
            {"subject": customer_id, "action": action},
        ).all()


@pytest.mark.requirement("C2", "C4")
def test_an_unmasked_read_needs_purpose_and_role_and_leaves_a_trace(caller, database):
    customer_id = a_patient(caller)
    path = f"/customers/{customer_id}/disclosures"
    wanted = {"purpose": "service", "fields": ["name", "phone"]}
    read = caller("cs_agent").post(path, wanted)
    assert read.json["personal"] == {"name": "张三", "phone": "+8613812341234"}
    assert [
        (row.actor, row.roles) for row in audit_of(database, customer_id, "customer.disclosed.service")
    ] == [("cs_agent-1", ["cs_agent"])]
    assert caller("cs_agent").post(path, {"fields": ["name"]}).status_code == 422
    wrong = caller("cs_agent").post(path, {**wanted, "purpose": "privacy_request"})
    assert (wrong.status_code, wrong.json["code"]) == (403, "purpose_not_admitted")
    assert caller("till").post(path, wanted).json["code"] == "role_not_admitted"
    assert caller("cs_agent", ["B2"]).post(path, wanted).json["code"] == "foreign_branch"
    assert len(audit_of(database, customer_id, "customer.disclosed.%")) == 1


@pytest.mark.requirement("C2", "C3")
def test_what_was_read_in_clear_is_not_kept_for_replay(caller, database):
    customer_id = a_patient(caller)
    path = f"/customers/{customer_id}/disclosures"
    body = {"purpose": "service", "fields": ["name"]}
    for _ in range(2):
        assert caller("cs_agent").post(path, body, key="one-key").json["personal"] == {"name": "张三"}
    assert len(audit_of(database, customer_id, "customer.disclosed.%")) == 2
    with database.begin() as conn:
        assert not conn.execute(text("select 1 from idempotency_keys where key = 'one-key'")).scalar()


@pytest.mark.requirement("C2", "C37")
def test_a_forgotten_patient_is_a_tombstone_that_keeps_its_points(caller, database, events, as_system):
    customer_id = a_patient(caller, code="tomb-1")
    as_system(lambda tx: reactions.handle(tx, [points.sale(9001, customer_id=customer_id)]))
    officer = caller("privacy_officer")
    assert officer.post(f"/customers/{customer_id}/anonymise").json["state"] == "anonymised"
    assert events("customers.customer.anonymised.v1") == [
        ("customers.customer.anonymised.v1", {"customer_id": customer_id})
    ]
    with database.begin() as conn:
        key = conn.execute(
            text("select wrapped, destroyed_by from subject_keys where subject_id = :id"), {"id": customer_id}
        ).one()
        assert (key.wrapped, key.destroyed_by) == (None, "privacy_officer-1")
        left = conn.execute(
            text("select personal, phone_index, code from customers where id = :id"), {"id": customer_id}
        ).one()
        assert (left.personal, left.phone_index) == (None, None)
        assert "tomb-1" not in left.code
    seen = officer.get(f"/customers/{customer_id}").json
    assert (seen["state"], seen["name"], seen["phone"], seen["code"]) == ("anonymised", None, None, None)
    assert officer.get(f"/customers/{customer_id}/points").json["balance"] == 11
    assert officer.get(f"/trade-permissions/{customer_id}").json["reasons"] == ["status_anonymised"]
    for refused in (
        officer.post(f"/customers/{customer_id}/anonymise"),
        officer.post(
            f"/customers/{customer_id}/disclosures", {"purpose": "privacy_request", "fields": ["name"]}
        ),
        officer.send("PATCH", f"/customers/{customer_id}", {"name": "又来"}),
    ):
        assert (refused.status_code, refused.json["code"]) == (409, "customer_anonymised")
    assert officer.post("/customer-lookups", {"phone": "13812341234"}).status_code == 200


def test_only_the_privacy_officer_forgets(caller):
    customer_id = a_patient(caller)
    for role in ("cs_manager", "management", "till"):
        assert caller(role).post(f"/customers/{customer_id}/anonymise").json["code"] == "role_not_admitted"


@pytest.mark.requirement("C2", "C6")
def test_a_contact_is_disclosed_for_a_purpose_and_forgotten_alone(caller, database):
    agent, officer = caller("cs_agent"), caller("privacy_officer")
    body = {"kind": "agent", "branch_id": "B1", "legal_name": "代理公司", "uscc": "91110000600037341L"}
    customer_id = agent.post("/institutions", body).json["customer_id"]
    ids = [
        agent.post(
            f"/customers/{customer_id}/contacts",
            {"name": name, "title": "经理", "channels": [{"kind": "phone", "value": "13912345678"}]},
        ).json["contact_id"]
        for name in ("周一", "吴二")
    ]
    path = f"/customers/{customer_id}/contacts/{ids[0]}"
    wanted = {"purpose": "service", "fields": ["name", "channels"]}
    assert agent.post(f"{path}/disclosures", wanted).json["personal"] == {
        "name": "周一",
        "channels": [{"kind": "phone", "value": "+8613912345678"}],
    }
    assert len(audit_of(database, ids[0], "contact.disclosed.service")) == 1
    assert officer.post(f"{path}/anonymise").json["state"] == "anonymised"
    assert officer.post(f"{path}/anonymise").json["code"] == "contact_anonymised"
    assert agent.post(f"{path}/disclosures", wanted).json["code"] == "contact_anonymised"
    assert agent.post(f"/customers/{ids[0]}/contacts/{ids[0]}/disclosures", wanted).status_code == 404
    seen = agent.get(f"/customers/{customer_id}").json["contacts"]
    assert [each.get("name") for each in seen] == [None, "吴*"]
    patient = a_patient(caller)
    assert (
        agent.post(f"/customers/{patient}/contacts/{ids[0]}/disclosures", wanted).json["code"]
        == "contact_not_found"
    )
