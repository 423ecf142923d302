"""What stands in the way of a month's closing is told at once, and a month without entries is no dead end."""

from dataclasses import replace

import pytest

from finance.closing.jobs import tell_proofs
from shared import completeness
from shared.clock import business_date, month_of, utc_now
from shared.service import Job
from tests.support.debtors import run
from tests.support.finance_builders import Office, a_line, money

LINE = a_line(expiry="2099-12-31")
VOUCHER = {
    "booked_on": "2026-03-31",
    "branch_id": "S001",
    "summary": "房租",
    "lines": [{"account": "6601.23", "debit": money(5)}, {"account": "1002", "credit": money(5)}],
}


@pytest.fixture(scope="module")
def office(migrated_database, make_folder):
    opened = Office(migrated_database("finance"), make_folder())
    for month in ("2026-01", "2026-03"):
        opened.sell(sold_at=f"{month}-10T02:00:00Z", lines=[LINE])
    yield opened
    opened.close()


def close(office, month):
    answer = office.post(f"/v1/periods/{month}/close", role="finance_head")
    return answer.json.get("code") or answer.json["state"]


def obstacles(office, month, **who):
    answer = office.get(f"/v1/periods/{month}/obstacles", **who)
    assert answer.status_code == 200, answer.json
    return [each["code"] for each in answer.json["obstacles"]]


@pytest.mark.requirement("F2")
def test_a_month_stays_open_while_a_job_still_tells_what_belongs_into_it(office, monkeypatch):
    endless = Job(name="tell_without_end", every_s=1, run=lambda _: 1, before_close=True)
    monkeypatch.setitem(
        office.app.extensions, "service", replace(office.app.extensions["service"], jobs=[endless])
    )
    monkeypatch.setattr(completeness, "PATIENCE_S", 0.05)
    answer = office.post("/v1/periods/2026-01/close", role="finance_head")
    assert (answer.status_code, answer.json["code"]) == (409, "sources_behind")
    assert [(each["reason"], each["type"]) for each in answer.json["obstacles"]] == [
        ("untold", "tell_without_end")
    ]


@pytest.mark.requirement("F2")
def test_everything_that_keeps_a_month_open_is_named_at_once(office):
    drafted = office.post("/v1/vouchers", VOUCHER, role="accountant").json
    assert obstacles(office, "2026-03") == ["earlier_period_open", "drafts_pending", "journal_not_sealed"]
    now = f"{month_of(business_date(utc_now())):%Y-%m}"
    office.sell(sold_at=utc_now().isoformat(), lines=[LINE])
    assert "period_not_over" in obstacles(office, now)
    assert office.get("/v1/periods/2025-12/obstacles").json["code"] == "period_unknown"
    assert (
        office.get("/v1/periods/2026-03/obstacles", branches=["S001"]).json["code"] == "company_not_covered"
    )
    decision = {"decision": "rejected", "reason": "重复"}
    office.post(f"/v1/vouchers/{drafted['voucher_id']}/decisions", decision, role="finance_head")
    office.seal()


@pytest.mark.requirement("F2", "F17")
def test_a_month_nothing_was_booked_to_is_closed_and_stated_like_any_other(office):
    assert close(office, "2026-01") == "soft_closed"
    calendar = "/v1/financial-statement-deadlines?from_month=2025-12&until_month=2026-03"
    waits = {each["month"] for each in office.get(calendar).json["items"] if each["state"] == "not_closed"}
    assert waits == {"2026-02", "2026-03"}
    assert obstacles(office, "2026-02") == []
    assert close(office, "2026-02") == "soft_closed"
    assert close(office, "2026-03") == "soft_closed"
    assert obstacles(office, "2026-03") == []
    assert close(office, "2026-04") == "soft_closed"
    assert close(office, "2025-12") == "period_unknown"
    for kind, span, month in (("balance", "month", "2026-02"), ("income", "quarter", "2026-03")):
        body = {"kind": kind, "span": span, "month": month}
        assert office.post("/v1/financial-statements", body, role="accountant").status_code == 201


@pytest.mark.requirement("F2")
def test_goods_sold_and_never_bought_are_named_by_account_and_branch_until_their_purchase_is_booked(
    migrated_database, make_folder
):
    office = Office(migrated_database("finance"), make_folder())
    for branch in ("S001", "S002", "S002"):
        office.sell(sold_at="2026-01-10T02:00:00Z", branch_id=branch, lines=[LINE])

    def told(answer):
        assert answer.status_code == 200, answer.json
        return [(each["code"], each["about"]) for each in answer.json["warnings"]]

    def buy(day, branch, fen):
        lines = [{"account": "1405", "debit": money(fen)}, {"account": "2202", "credit": money(fen)}]
        body = {"booked_on": day, "branch_id": branch, "summary": "购货", "lines": lines}
        made = office.post("/v1/vouchers", body, role="accountant")
        path = f"/v1/vouchers/{made.json['voucher_id']}/decisions"
        decided = office.post(path, {"decision": "approved", "reason": None}, role="finance_head")
        assert decided.status_code == 200, decided.json
        office.seal()

    def named(**fens):
        branches = [{"branch_id": branch, "fen": fen} for branch, fen in fens.items()]
        return [("inventory_negative", {"account": "1405", "branches": branches})]

    office.seal()
    cost = LINE["cost"]["fen"]
    asked = "/v1/periods/2026-01/obstacles"
    assert told(office.get(asked)) == named(S001=-cost, S002=-2 * cost)
    buy("2026-01-31", "S001", cost)
    assert told(office.get(asked)) == named(S002=-2 * cost)
    buy("2026-01-31", "S002", 2 * cost - 1)
    assert told(office.post("/v1/periods/2026-01/close", role="finance_head")) == named(S002=-1)
    buy("2026-02-01", "S002", 1)
    assert told(office.get("/v1/periods/2026-02/obstacles")) == []
    assert told(office.post("/v1/periods/2026-02/close", role="finance_head")) == []
    office.close()


@pytest.mark.requirement("F15")
def test_whether_the_sub_ledgers_agree_is_told_for_others_to_count(office):
    run(office, tell_proofs)
    told = office.rows(
        "select data from outbox where type = 'finance.sub_ledgers.proved.v1' order by id desc limit 1"
    )
    assert told[0][0]["ok"] is True
    assert told[0][0]["differing"] == []
