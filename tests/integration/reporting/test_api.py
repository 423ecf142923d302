"""Ledgers, metrics and the close over HTTP, with roles, branches, files and revisions."""

import csv
import hashlib
import io
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import httpx
import orjson
import pytest
from openapi_spec_validator import validate
from sqlalchemy import text

from tests.support import facts

JANUARY = date(2017, 1, 10)


@pytest.fixture(scope="module")
def client(system):
    system.publish(
        facts.sale(1, sale_id="A", day=JANUARY, customer="C1", branch="S1"),
        facts.sale(2, sale_id="B", day=JANUARY, customer="C2", branch="S2", tender="cash"),
        facts.refund(3, sale_id="A", day=date(2017, 1, 12)),
        facts.return_settled(1, day=date(2017, 1, 12)),
        facts.feedback(1, day=JANUARY),
        facts.survey_sent(2, day=JANUARY),
        facts.survey_answered(3, customer="C1", scores=(5, 5, 4), day=JANUARY),
        facts.customer_registered(1, day=JANUARY),
        facts.sale(4, day=date(2017, 2, 10)),
    )
    system.deliver()
    with httpx.Client(base_url=system.url, trust_env=False, timeout=30) as opened:
        yield opened


def close(client, system, month="2017-01", role="finance_head", key="close"):
    return client.post(f"/v1/months/{month}/close", headers=system.headers(role, key=key))


@pytest.mark.requirement("P2")
def test_a_ledger_is_told_as_json_with_money_objects(client, system):
    answer = client.get("/v1/sales-ledgers/2017-01", headers=system.headers("management"))
    assert answer.status_code == 200
    body = answer.json()
    assert body["state"] == "open"
    assert body["totals"]["net"] == {"fen": 2000, "currency": "CNY"}
    assert body["totals"]["refund_total"] == {"fen": 1130, "currency": "CNY"}
    assert body["tenders"] == [
        {"tender": "cash", "amount": {"fen": 1130, "currency": "CNY"}},
        {"tender": "wechat", "amount": {"fen": 1130, "currency": "CNY"}},
    ]
    for kind in ("returns", "feedback"):
        body = client.get(f"/v1/{kind}-ledgers/2017-01?branch_id=S1", headers=system.headers("qa")).json()
        assert len(body["rows"]) == 1
        assert body["branch_id"] == "S1"


@pytest.mark.requirement("P2")
def test_a_ledger_is_told_as_csv_that_a_spreadsheet_understands_in_both_languages(client, system):
    address = "/v1/sales-ledgers/2017-01"
    answer = client.get(f"{address}/csv", headers=system.headers("accountant"))
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "sales-ledger-2017-01-chain.csv" in answer.headers["Content-Disposition"]
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0]["Net (CNY)"] == "20.00"
    assert rows[-1]["Day"] == "Total"
    assert rows[-1]["Refunds total (CNY)"] == "11.30"
    chinese = client.get(f"{address}/csv?lang=zh_CN", headers=system.headers("accountant"))
    assert "不含税金额 (CNY)" in chinese.content.decode("utf-8-sig")


@pytest.mark.requirement("P2")
def test_a_ledger_is_told_as_a_workbook(client, system):
    for kind in ("sales", "returns", "feedback"):
        answer = client.get(f"/v1/{kind}-ledgers/2017-01/xlsx", headers=system.headers("accountant"))
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            assert b"sheetData" in book.read("xl/worksheets/sheet1.xml")


@pytest.mark.requirement("P2")
@pytest.mark.parametrize(
    ("code", "numerator", "denominator", "value_bp"),
    [("M1", 0, 0, None), ("M2", 24, 25, 9600), ("M3", 0, 1, None)],
)
def test_a_metric_is_told_with_numerator_and_denominator(
    client, system, code, numerator, denominator, value_bp
):
    body = client.get(
        f"/v1/metrics/{code}?month=2017-01", headers=system.headers("supervision_member")
    ).json()
    assert (body["numerator"], body["denominator"], body["value_bp"]) == (numerator, denominator, value_bp)
    assert body["low_sample"]
    assert body["month"] == "2017-01"


@pytest.mark.requirement("X4")
@pytest.mark.parametrize(
    ("address", "branches", "role", "status", "code"),
    [
        ("/v1/sales-ledgers/2017-01", ["S1"], "store_manager", 403, "chain_not_covered"),
        ("/v1/sales-ledgers/2017-01?branch_id=S2", ["S1"], "store_manager", 403, "foreign_branch"),
        ("/v1/metrics/M3?month=2017-01", ["S1"], "store_manager", 403, "chain_not_covered"),
        ("/v1/sales-ledgers/2017-01", ["*"], "till", 403, "role_not_admitted"),
        ("/v1/metrics/M9?month=2017-01", ["*"], "qa", 404, "metric_not_found"),
        ("/v1/sales-ledgers/2017-13", ["*"], "qa", 422, "month_invalid"),
        ("/v1/metrics/M3", ["*"], "qa", 422, "payload_invalid"),
        ("/v1/sales-ledgers/2017-01?branch_id=%00", ["*"], "qa", 400, "address_not_text"),
        ("/v1/cash-ledgers/2017-01", ["*"], "qa", 404, "no_such_address"),
    ],
)
def test_what_may_not_be_read_is_refused_by_name(client, system, address, branches, role, status, code):
    answer = client.get(address, headers=system.headers(role, branches=branches))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_branch_is_read_with_a_token_for_that_branch(client, system):
    headers = system.headers("store_manager", branches=["S1"])
    body = client.get("/v1/sales-ledgers/2017-01?branch_id=S1", headers=headers).json()
    assert body["totals"]["receipts"] == 1


@pytest.mark.requirement("X4")
def test_closing_is_refused_by_name(client, system):
    assert close(client, system, role="qa").json()["code"] == "role_not_admitted"
    assert close(client, system, month="2017-00").json()["code"] == "month_invalid"
    assert close(client, system, month="2099-12").json()["code"] == "month_not_over"
    one_branch = system.headers("finance_head", branches=["S1"], key="k")
    answer = client.post("/v1/months/2017-01/close", headers=one_branch)
    assert answer.json()["code"] == "chain_not_covered"


@pytest.mark.requirement("P2", "X3")
def test_a_closed_month_keeps_its_figures_and_shows_late_facts_as_revisions(client, system):
    reader = system.headers("management")
    ledgers = {
        kind: client.get(f"/v1/{kind}-ledgers/2017-01", headers=reader).json()
        for kind in ("sales", "returns", "feedback")
    }
    metrics = {
        code: client.get(f"/v1/metrics/{code}?month=2017-01", headers=reader).json()
        for code in ("M1", "M2", "M3")
    }
    waiting = close(client, system, key="books-open").json()
    assert (waiting["code"], [each["reason"] for each in waiting["obstacles"]]) == (
        "month_incomplete",
        ["period_open"],
    )
    january = date(2017, 1, 1)
    system.publish(facts.period_closed(5, month=january))
    system.publish(facts.period_closed(6, month=january, event_type="finance.period.reopened.v1"))
    system.deliver()
    assert close(client, system, key="books-reopened").status_code == 409
    system.publish(facts.period_closed(7, month=january))
    system.deliver()
    closed = close(client, system)
    assert closed.status_code == 200, closed.text
    assert closed.json()["watermarks"] == {"customers": 1, "finance": 7, "service_desk": 3, "returns": 1}
    assert close(client, system, key="again").json()["code"] == "month_already_closed"

    late = facts.sale(9, sale_id="late", day=date(2017, 1, 31), branch="S1", customer="C9")
    system.publish(late)
    system.deliver()

    for kind, before in ledgers.items():
        after = client.get(f"/v1/{kind}-ledgers/2017-01", headers=reader).json()
        assert after["state"] == "closed"
        assert (after["rows"], after["totals"]) == (before["rows"], before["totals"])
        assert len(after["revisions"]) == after["revisions_total"] == (1 if kind == "sales" else 0)
    sales = client.get("/v1/sales-ledgers/2017-01?branch_id=S1", headers=reader).json()
    assert sales["revisions"][0]["type"] == "finance.sale.posted.v1"
    assert sales["revisions"][0]["amount"] == {"fen": 1130, "currency": "CNY"}
    assert sales["totals"]["receipts"] == 1
    assert sales["revised_totals"]["receipts"] == 2
    other = client.get("/v1/sales-ledgers/2017-01?branch_id=S9", headers=reader).json()
    assert other["rows"] == other["revisions"] == []

    for code, before in metrics.items():
        after = client.get(f"/v1/metrics/{code}?month=2017-01", headers=reader).json()
        assert (after["numerator"], after["denominator"]) == (before["numerator"], before["denominator"])
        assert after["state"] == "closed"
        assert (after["revised"] is not None) == (code == "M3")
    assert client.get("/v1/metrics/M3?month=2017-01", headers=reader).json()["revised"]["denominator"] == 2

    months = client.get("/v1/months", headers=reader).json()["items"]
    assert [(each["month"], each["state"]) for each in months] == [("2017-02", "open"), ("2017-01", "closed")]


def test_the_frozen_content_has_the_hash_it_was_closed_with(client, system):
    with system.database.read() as conn:
        rows = conn.execute(text("select content, content_hash from frozen_ledgers")).all()
    assert rows
    for content, content_hash in rows:
        canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        assert hashlib.sha256(canonical).hexdigest() == content_hash


@pytest.mark.requirement("X7")
def test_a_closed_ledger_is_recomputed_from_its_export_alone(client, system, tmp_path):
    verifier = Path(__file__).parents[3] / "deploy" / "apotheca_verify.py"
    for kind in ("sales", "returns", "feedback"):
        export = tmp_path / f"{kind}.json"
        export.write_bytes(
            client.get(f"/v1/{kind}-ledgers/2017-01", headers=system.headers("management")).content
        )
        command = [sys.executable, "-I", "-S", verifier, "ledger", export.name, "--month", "2017-01"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.requirement("X3")
def test_completeness_is_told_per_source(client, system):
    sources = client.get("/v1/sources", headers=system.headers("operator")).json()["items"]
    finance = next(each for each in sources if each["source"] == "finance")
    assert (finance["contiguous_seq"], finance["head_seq"], finance["lag_events"]) == (8, 8, 0)
    assert (finance["halted_reason"], finance["halted_detail"]) == (None, None)


def test_the_api_is_documented_as_openapi(client):
    document = client.get("/openapi.json").json()
    validate(document)
    assert "/v1/months/{month}/close" in document["paths"]
