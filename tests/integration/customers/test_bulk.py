"""Thousands of patients in one upload: a result per row, safe to repeat."""

import io

import orjson
import pytest
from sqlalchemy import text
from werkzeug.test import EnvironBuilder

from customers.registration.api import BULK_BATCH_ROWS


def rows_of(answer):
    assert answer.status_code == 200
    return [orjson.loads(line) for line in answer.data.splitlines()]


def ndjson(*rows):
    return b"".join((row if isinstance(row, bytes) else orjson.dumps(row)) + b"\n" for row in rows)


@pytest.mark.requirement("C1", "C8")
def test_an_upload_creates_each_patient_once_however_often_it_is_sent(caller, database, events):
    manager = caller("store_manager")
    count = 2 * BULK_BATCH_ROWS + 17
    content = ndjson(
        *(
            {"code": f"hh-{n}", "name": f"家庭{n}", "branch_id": "B1", "source_channel": "import"}
            for n in range(count)
        )
    )
    first = rows_of(manager.upload("/customers/bulk", content))
    assert [each["row"] for each in first] == list(range(1, count + 1))
    assert {each["outcome"] for each in first} == {"created"}
    again = rows_of(manager.upload("/customers/bulk", content))
    assert {each["outcome"] for each in again} == {"exists"}
    assert [each["customer_id"] for each in again] == [each["customer_id"] for each in first]
    assert len(events("customers.customer.registered.v1")) == count
    with database.begin() as conn:
        assert conn.execute(text("select count(*) from customers where code like 'hh-%'")).scalar() == count
        assert conn.execute(text("select count(*) from subject_keys")).scalar() >= count
    seen = caller("cs_agent").get(f"/customers/{first[7]['customer_id']}").json
    assert (seen["code"], seen["name"]) == ("hh-7", "家**")


def test_bad_rows_are_refused_each_with_its_reason_and_hold_back_no_other(caller):
    good = {"code": "mix-1", "name": "好人", "branch_id": "B1"}
    content = ndjson(
        good,
        b"{not json",
        {**good, "code": "mix-2", "phone": "12345"},
        {**good, "code": "mix-3", "branch_id": "B9"},
        {"name": "无码", "branch_id": "B1"},
        {**good, "code": "mix-4", "kind": "hospital"},
        good,
        {**good, "name": "别人"},
        {**good, "code": "mix-5", "name": "长" * 9_000},
        b"[1]",
        b"",
        {**good, "code": "mix-6"},
    )
    results = rows_of(caller("store_manager", ["B1"]).upload("/customers/bulk", content))
    assert [(each["outcome"], each.get("reason")) for each in results] == [
        ("created", None),
        ("refused", "row_malformed"),
        ("refused", "phone_invalid"),
        ("refused", "foreign_branch"),
        ("refused", "row_invalid"),
        ("refused", "row_invalid"),
        ("exists", None),
        ("refused", "code_reused"),
        ("refused", "row_too_long"),
        ("refused", "row_invalid"),
        ("refused", "row_malformed"),
        ("created", None),
    ]
    assert results[4]["fields"] == ["code"]


def test_a_row_keeps_all_that_it_says(caller):
    row = {
        "code": "full-1",
        "name": "全家福",
        "branch_id": "B1",
        "phone": "13812349999",
        "consent_refs": ["CN-1", "CN-2"],
        "owner_id": "seller-7",
    }
    (created,) = rows_of(caller("store_manager").upload("/customers/bulk", ndjson(row)))
    seen = caller("cs_agent").get(f"/customers/{created['customer_id']}").json
    assert (seen["consent_refs"], seen["owner_id"]) == (["CN-1", "CN-2"], "seller-7")
    assert (seen["phone"], seen["name"], seen["class"]) == ("138****9999", "全**", "ordinary")
    found = caller("cs_agent").post("/customer-lookups", {"phone": "13812349999"}).json["items"]
    assert [each["customer_id"] for each in found] == [created["customer_id"]]


def test_an_upload_over_the_limit_is_refused_before_anything_is_read(app, caller):
    manager = caller("store_manager")
    client, headers = manager._client, manager._headers
    limit = app.extensions["settings"].bulk_body_bytes_max
    answer = client.post("/v1/customers/bulk", headers=headers, data=b"", content_length=limit + 1)
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_the_answer_begins_when_the_whole_upload_was_read(app, caller):
    """A sender that writes before it reads never waits for us while we wait for it."""
    rows = [{"code": f"slow-{n}", "name": "某人", "branch_id": "B1"} for n in range(2 * BULK_BATCH_ROWS)]
    body = io.BytesIO(ndjson(*rows))
    request = EnvironBuilder(
        "/v1/customers/bulk",
        method="POST",
        headers=caller("store_manager")._headers,
        content_type="application/x-ndjson",
        input_stream=body,
        content_length=len(body.getvalue()),
    )
    unread = []
    answer = app.wsgi_app(request.get_environ(), lambda status, headers: unread.append(body.read()))
    assert len(b"".join(answer).splitlines()) == len(rows)
    answer.close()
    assert unread == [b""]


@pytest.mark.requirement("C2")
def test_a_forgotten_patient_is_not_brought_back_by_the_same_file(caller):
    content = ndjson({"code": "gone-1", "name": "某人", "branch_id": "B1"})
    manager = caller("store_manager")
    (created,) = rows_of(manager.upload("/customers/bulk", content))
    caller("privacy_officer").post(f"/customers/{created['customer_id']}/anonymise")
    (refused,) = rows_of(manager.upload("/customers/bulk", content))
    assert (refused["outcome"], refused["reason"]) == ("refused", "customer_anonymised")
    body = {"code": "gone-1", "name": "某人", "branch_id": "B1"}
    assert caller("cs_agent").post("/patients", body).json["code"] == "customer_anonymised"
