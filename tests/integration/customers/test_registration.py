"""Patients and institutions are registered, read masked, found by telephone, changed with a trace."""

import re
from uuid import uuid4

import pytest
from sqlalchemy import text

PERSON = {
    "name": "张三丰",
    "phone": "138 1234 5678",
    "id_number": "360426199101010071",
    "birthday": "1991-01-01",
}
USCC = iter(["91110000600037341L", "91110105MA01A1QN2B", "91310000132212566A"])


def a_patient(**changes):
    return {**PERSON, "branch_id": "B1", "consent_refs": ["CN-1"], "source_channel": "walk_in", **changes}


def an_institution(**changes):
    return {
        "kind": "hospital",
        "branch_id": "B1",
        "legal_name": "第一人民医院",
        "uscc": "91110000600037341L",
        "region": "北京",
        "source_channel": "exhibition",
        "contacts": [
            {
                "name": "李医生",
                "title": "主任",
                "employer": "第一人民医院",
                "channels": [
                    {"kind": "phone", "value": "13912345678"},
                    {"kind": "email", "value": "li@example.cn"},
                ],
                "hcp": True,
            }
        ],
        "hospital": {
            "level": "三级甲等",
            "beds": 900,
            "departments": [{"name": "心内科"}],
            "procurement_needs": [{"category": "rx", "monthly_quantity": 500}],
        },
        **changes,
    }


def everything_stored(database):
    """Every row of every table as text, as somebody with the database's files could read it."""
    with database.begin() as conn:
        tables = conn.execute(
            text("select table_name from information_schema.tables where table_schema = 'public'")
        ).scalars()
        return "\n".join(
            str(row[0]) for table in tables for row in conn.execute(text(f"select t::text from {table} t"))
        )


@pytest.mark.requirement("C1", "C2")
def test_a_patient_is_registered_and_read_masked(caller, events):
    answer = caller("cs_agent").post("/patients", a_patient(code="card-1"))
    assert answer.status_code == 201
    assert (answer.json["kind"], answer.json["state"], answer.json["completeness_bp"]) == (
        "patient",
        "active",
        10_000,
    )
    seen = caller("till").get(f"/customers/{answer.json['customer_id']}").json
    assert (seen["name"], seen["phone"], seen["birthday"]) == ("张**", "138****5678", "1991-**-**")
    assert seen["id_number"] == "360***********71"
    assert (seen["class"], seen["grade"], seen["risk"]) == ("ordinary", "C", "low")
    ((kind, data),) = events()
    assert kind == "customers.customer.registered.v1"
    assert data == {
        "customer_id": answer.json["customer_id"],
        "kind": "patient",
        "branch_id": "B1",
        "source_channel": "walk_in",
        "state": "active",
        "registered_on": answer.json["registered_on"],
    }


@pytest.mark.requirement("C2", "C3", "C4")
def test_nothing_stored_published_or_logged_tells_who_somebody_is(caller, database, capsys):
    marked = {"name": "独孤求败", "phone": "13798765432", "id_number": "11010519491231002X"}
    agent = caller("cs_agent")
    customer_id = agent.post("/patients", a_patient(**marked, birthday="1949-12-31")).json["customer_id"]
    agent.send("PATCH", f"/customers/{customer_id}", {"name": "独孤九剑"})
    agent.post("/patients", a_patient(name="独孤求败", phone="1379876543"))
    agent.post("/customer-lookups", {"phone": "13798765432"})
    caller("cs_manager").post(
        f"/customers/{customer_id}/disclosures", {"purpose": "service", "fields": ["name"]}
    )
    captured = capsys.readouterr()
    traces = everything_stored(database) + captured.out + captured.err
    assert not re.search("独孤|13798765432|98765432|1379876543|110105194912|1949-12-31", traces)


@pytest.mark.requirement("C1")
def test_a_patient_is_found_by_telephone_in_the_own_branches_only(caller):
    registered = caller("cs_agent").post("/patients", a_patient(phone="13611112222")).json["customer_id"]
    found = caller("cs_agent", ["B1"]).post("/customer-lookups", {"phone": "+86 136-1111-2222"})
    assert [each["customer_id"] for each in found.json["items"]] == [registered]
    assert caller("cs_agent", ["B2"]).post("/customer-lookups", {"phone": "13611112222"}).json["items"] == []
    assert caller("cs_agent").post("/customer-lookups", {"phone": "13611112223"}).json["items"] == []


@pytest.mark.requirement("X1")
def test_another_branch_neither_reads_nor_registers(caller):
    customer_id = caller("cs_agent").post("/patients", a_patient()).json["customer_id"]
    stranger = caller("cs_agent", ["B2"])
    for path in ("customers/{}", "customers/{}/points", "trade-permissions/{}", "customers/{}/changes"):
        refused = stranger.get(f"/{path.format(customer_id)}")
        assert (refused.status_code, refused.json["code"]) == (403, "foreign_branch")
    assert stranger.post("/patients", a_patient()).json["code"] == "foreign_branch"
    assert (
        stranger.send("PATCH", f"/customers/{customer_id}", {"is_confirmed": True}).json["code"]
        == "foreign_branch"
    )
    assert customer_id not in {each["customer_id"] for each in stranger.get("/customers").json["items"]}


@pytest.mark.requirement("C5", "C6", "C7")
def test_an_institution_is_registered_with_contacts_and_profile_as_a_lead(caller, events):
    agent = caller("cs_agent")
    answer = agent.post("/institutions", an_institution(uscc=next(USCC)))
    assert (answer.status_code, answer.json["state"]) == (201, "lead")
    customer_id = answer.json["customer_id"]
    agent.post(
        f"/customers/{customer_id}/contacts",
        {"name": "王采购", "channels": [{"kind": "wechat", "value": "wang_cg"}]},
    )
    seen = agent.get(f"/customers/{customer_id}").json
    assert (seen["legal_name"], seen["source_channel"]) == ("第一人民医院", "exhibition")
    assert seen["hospital"]["departments"] == [{"name": "心内科"}]
    doctor, buyer = seen["contacts"]
    assert (doctor["name"], doctor["title"], doctor["hcp"]) == ("李**", "主任", True)
    assert [each["value"] for each in doctor["channels"]] == ["139****5678", "li****"]
    assert (buyer["name"], buyer["channels"][0]["value"]) == ("王**", "wa****")
    assert [kind for kind, _ in events()] == [
        "customers.customer.registered.v1",
        "customers.permission.changed.v1",
    ]
    permission = events("customers.permission.changed.v1")[0][1]
    assert (permission["allowed"], permission["permission_version"]) == (False, 1)
    assert permission["reasons"][0] == "status_lead"


def test_what_cannot_be_registered_is_refused_by_name(caller):
    agent = caller("cs_agent")
    agent.post("/patients", a_patient(code="card-2"))
    uscc = next(USCC)
    agent.post("/institutions", an_institution(uscc=uscc))
    for path, body, code in (
        ("/patients", a_patient(code="card-2"), "code_taken"),
        ("/patients", a_patient(phone="12345"), "phone_invalid"),
        ("/patients", a_patient(id_number="360426199101010072"), "id_number_invalid"),
        ("/patients", a_patient(birthday="2999-01-01"), "birthday_implausible"),
        ("/patients", a_patient(name=" "), "payload_invalid"),
        ("/institutions", an_institution(uscc=uscc), "uscc_taken"),
        ("/institutions", an_institution(uscc="91110000600037341M"), "uscc_invalid"),
        ("/institutions", an_institution(kind="pharmacy"), "hospital_profile_misplaced"),
        ("/institutions", an_institution(kind="patient"), "payload_invalid"),
    ):
        refused = agent.post(path, body)
        assert refused.json["code"] == code
        assert refused.status_code in {409, 422}
    assert agent.get(f"/customers/{uuid4()}").json["code"] == "customer_not_found"


@pytest.mark.requirement("C9", "C34")
def test_a_change_is_logged_by_field_and_confirms_the_record(caller):
    agent = caller("cs_agent")
    customer_id = agent.post("/patients", {"name": "赵六", "branch_id": "B1"}).json["customer_id"]
    changed = agent.send("PATCH", f"/customers/{customer_id}", {"phone": "13500001111", "is_confirmed": True})
    assert changed.json["changed"] == ["phone"]
    assert agent.get(f"/customers/{customer_id}").json["phone"] == "135****1111"
    found = agent.post("/customer-lookups", {"phone": "13500001111"}).json["items"]
    assert [each["customer_id"] for each in found] == [customer_id]
    log = agent.get(f"/customers/{customer_id}/changes").json["items"]
    assert [(each["action"], each["fields"], each["actor"]) for each in log] == [
        ("changed", ["phone"], "cs_agent-1"),
        ("registered", ["name"], "cs_agent-1"),
    ]
    assert agent.send("PATCH", f"/customers/{customer_id}", {}).status_code == 422


def test_a_list_is_paged_without_gaps_or_repetition(caller):
    agent = caller("cs_agent", ["B7"])
    registered = [
        agent.post("/patients", {"name": f"病人{n}", "branch_id": "B7"}).json["customer_id"] for n in range(5)
    ]
    seen, cursor = [], None
    while True:
        page = agent.get("/customers", limit=2, **({"cursor": cursor} if cursor else {})).json
        seen.extend(each["customer_id"] for each in page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == registered
    assert agent.get("/customers", cursor="WyJ4Il0").json["code"] == "cursor_invalid"


def test_the_same_key_registers_once(caller, events):
    agent, key = caller("cs_agent"), str(uuid4())
    first, second = (agent.post("/patients", a_patient(), key) for _ in range(2))
    assert first.json == second.json
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(events()) == 1


def test_without_the_master_key_personal_data_is_unavailable_not_lost(app, caller):
    vault = app.extensions.pop("vault")
    try:
        refused = caller("cs_agent").post("/patients", a_patient())
        assert (refused.status_code, refused.json["code"]) == (503, "master_key_missing")
    finally:
        app.extensions["vault"] = vault
