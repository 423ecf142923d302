"""Books that go on where others ended: what they begin with is carried in, and is no movement of any period."""

import pytest

from tests.support.debtors import a_debtor, agrees, items_of, pay
from tests.support.finance_builders import Office, money
from tests.support.roles import behind
from tests.support.statements import book, close, column, prepare, prepared, proof
from tests.support.watermarks import level_with

EVE = "2025-12-31"


@pytest.fixture(scope="module")
def office(migrated_database, tmp_path_factory):
    office = Office(migrated_database("finance"), tmp_path_factory.mktemp("keys"))
    with behind(office.database) as conn:
        conn.exec_driver_sql("update books set begins_on = '2026-01-01'")
    yield office
    office.close()


def draft(office, *lines, day=EVE):
    """`lines` are (account, debit fen or -credit fen, more fields)."""
    rows = [
        {"account": account, "debit" if fen > 0 else "credit": money(abs(fen)), **odd}
        for account, fen, odd in lines
    ]
    body = {"booked_on": day, "branch_id": "S001", "summary": "期初余额", "lines": rows}
    return office.post("/v1/vouchers", body, role="accountant")


def approve(office, answer):
    assert answer.status_code == 201, answer.json
    path = f"/v1/vouchers/{answer.json['voucher_id']}/decisions"
    decided = office.post(path, {"decision": "approved", "reason": None}, role="finance_head")
    assert decided.status_code == 200, decided.json
    return decided.json


@pytest.mark.requirement("F1", "F13", "F17")
def test_what_the_books_begin_with_moves_nothing(office):
    owing, ahead = a_debtor(office), a_debtor(office)
    voucher = approve(
        office,
        draft(
            office,
            ("1001", 800_00, {}),
            ("1002", 90_000_00, {}),
            ("1122", 3_390_00, {"customer_id": owing, "due_on": "2025-11-30"}),
            ("1122", 1_130_00, {"customer_id": owing, "due_on": "2026-02-28"}),
            ("1122", -200_00, {"customer_id": ahead, "due_on": EVE}),
            ("1405", 20_000_00, {}),
            ("2202", -15_120_00, {}),
            ("4001", -80_000_00, {}),
            ("4104", -20_000_00, {}),
        ),
    )
    assert voucher["lines"][2]["customer_id"] == owing
    assert [(each["due_on"], each["open"]["fen"]) for each in items_of(office, owing)] == [
        ("2025-11-30", 3_390_00),
        ("2026-02-28", 1_130_00),
    ]
    assert items_of(office, ahead)[0]["open"]["fen"] == -200_00
    assert agrees(office, as_of=EVE)
    position = office.get("/v1/cash-positions/S001").json
    assert (position["on_hand"]["fen"], position["safe"]["fen"]) == (800_00, 800_00)

    paid = pay(office, owing, 3_390_00, received_on="2026-01-15", oldest_first=True)
    assert paid.status_code == 201, paid.json
    book(office, "2026-01-20", ("6602", 100_00), ("1002", -100_00))
    close(office, "2025-12", "2026-01")
    late = {each["month"]: each["late_days"] for each in office.get("/v1/periods").json["items"]}
    assert late["2025-12"] == 0, "a month before the books begin is closed with them and was due on no day"
    assert late["2026-01"] > 0
    balance = prepared(office, "balance", "2026-01")
    assert column(balance, "year_begin")["total_assets"] == 115_320_00
    assert column(balance, "year_begin")["advances_received"] == 200_00
    assert column(balance, "year_begin")["retained_earnings"] == 20_000_00
    assert column(balance, "end")["cash"] == 90_800_00 + 3_390_00 - 100_00
    flows = column(prepared(office, "cashflow", "2026-01"), "period")
    assert (flows["opening_cash"], flows["sales_received"]) == (90_800_00, 3_390_00)
    before = prepared(office, "cashflow", "2025-12", "year")
    assert before["unclassified"] == []
    lines = column(before, "period")
    assert (lines["opening_cash"], lines["net_increase"], lines["closing_cash"]) == (90_800_00, 0, 90_800_00)
    equity = prepared(office, "equity", "2025-12", "year")
    total = column(equity, "total")
    assert (total["prior_year_end"], total["changes"], total["year_end"]) == (100_000_00, 0, 100_000_00)
    due = office.get("/v1/financial-statement-deadlines?from_month=2025-10&until_month=2026-01").json["items"]
    assert {each["month"] for each in due} == {"2026-01"}
    for made in (balance, before, equity):
        assert proof(office, made["statement_id"])["agrees"]


@pytest.mark.requirement("F1")
def test_only_an_opening_names_what_customers_owe(office):
    owing = a_debtor(office)
    debt = {"customer_id": owing, "due_on": "2026-02-01"}
    for lines, day in (
        ((("1122", 1_00, debt), ("4104", -1_00, {})), "2026-02-02"),
        ((("1122", 1_00, {}), ("4104", -1_00, {})), EVE),
        ((("1405", 1_00, debt), ("4104", -1_00, {})), EVE),
        ((("2241.01", 1_00, {}), ("4104", -1_00, {})), EVE),
        ((("1405", 1_00, {}), ("4104", -1_00, {})), "2025-12-30"),
    ):
        refused = draft(office, *lines, day=day)
        assert (refused.status_code, refused.json["code"]) == (422, "voucher_invalid"), (lines, day)
    stranger = {"customer_id": "0199b1c0-0000-7000-8000-00000000dead", "due_on": "2026-02-01"}
    refused = draft(office, ("1122", 1_00, stranger), ("4104", -1_00, {}))
    assert (refused.status_code, refused.json["code"]) == (503, "customer_not_yet_known")
    level_with(office.database, "customers")
    refused = draft(office, ("1122", 1_00, stranger), ("4104", -1_00, {}))
    assert (refused.status_code, refused.json["code"]) == (409, "customer_unknown")
    refused = draft(office, ("1122", 1_00, debt), ("4104", -1_00, {}))
    assert (refused.status_code, refused.json["code"]) == (409, "period_not_open")
    earned = draft(office, ("6001", 5_00, {}), ("4103", -5_00, {}), day="2026-02-28")
    assert earned.json["errors"][0]["path"] == "lines.1.account", (
        "a month's income stays in its accounts until the year's end"
    )
    assert prepare(office, "balance", "2025-11").json["code"] == "period_not_closed"
