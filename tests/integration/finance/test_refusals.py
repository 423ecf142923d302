"""Refusals that no story of a document meets: what is unknown, what is too much, and books that were tampered with."""

from datetime import date
from uuid import uuid4

import pytest

from finance.closing import jobs
from finance.ledger_files.queries import voucher_list
from shared.clock import utc_now
from shared.errors import Conflict
from tests.support.debtors import TODAY, a_debtor, run, sell_on_credit
from tests.support.expenses_builders import a_goods_receipt
from tests.support.finance_builders import Office, a_line, money
from tests.support.roles import behind

LINE = a_line(expiry="2099-12-31")


@pytest.fixture
def alone(migrated_database, tmp_path):
    """A finance of one sale in January and one in February, for a test that harms its books."""
    office = Office(migrated_database("finance"), tmp_path)
    for sold_at in ("2026-01-10T02:00:00Z", "2026-02-10T02:00:00Z"):
        office.sell(sold_at=sold_at, lines=[LINE])
    office.seal()
    yield office
    office.close()


def tamper(office, sql):
    with behind(office.database) as conn:
        # an administrator switches triggers off
        conn.exec_driver_sql("set local session_replication_role = replica")
        assert conn.exec_driver_sql(sql).rowcount > 0


def close(office, month="2026-01"):
    answer = office.post(f"/v1/periods/{month}/close", role="finance_head")
    return answer.status_code, answer.json.get("code")


@pytest.mark.parametrize(
    ("path", "body", "role", "code"),
    [
        ("/customer-statements/{id}", None, "accountant", "customer_statement_unknown"),
        ("/customer-statements/{id}/pdf", None, "accountant", "customer_statement_unknown"),
        ("/customer-statements/{id}/send", {"channel": "letter"}, "accountant", "customer_statement_unknown"),
        ("/payments/{id}", None, "accountant", "payment_unknown"),
        ("/payments/{id}/reverse", {"reason": "bounced"}, "finance_head", "payment_unknown"),
        ("/allocations/{id}/undo", {"reason": "wrong"}, "accountant", "allocation_unknown"),
        ("/write-offs/{id}/decisions", {"decision": "approved"}, "management", "write_off_unknown"),
        ("/financial-statements/{id}", None, "accountant", "statement_not_found"),
        ("/financial-statements/{id}/publish", {}, "accountant", "statement_not_found"),
        ("/financial-statement-proofs/{id}", None, "accountant", "statement_not_found"),
        ("/financial-statements/{id}/xlsx", None, "accounting_head", "statement_not_found"),
        ("/financial-statements/{id}/sign", {}, "chief_accountant", "statement_not_found"),
    ],
)
def test_what_is_unknown_is_not_found(office, path, body, role, code):
    path = "/v1" + path.format(id=uuid4())
    answer = office.get(path, role=role) if body is None else office.post(path, body, role=role)
    assert (answer.status_code, answer.json["code"]) == (404, code)


@pytest.mark.requirement("F2")
def test_only_the_last_closed_month_may_be_asked_to_open_again(alone):
    assert close(alone) == close(alone, "2026-02") == (200, None)
    asked = alone.post("/v1/periods/2026-01/reopenings", {"reason": "late invoice"}, role="accountant")
    assert (asked.status_code, asked.json["code"]) == (409, "later_period_closed")


@pytest.mark.requirement("F2", "F15")
@pytest.mark.parametrize(
    "harm",
    [
        "update journal_lines set debit_fen = debit_fen + 1 where booked_on = '2026-01-10' and debit_fen > 0",
        "update running_balances set debit_fen = debit_fen + 1 where month = '2026-01-01' and debit_fen > 0",
    ],
)
def test_a_month_whose_lines_or_sums_were_changed_does_not_close(alone, harm):
    tamper(alone, harm)
    assert close(alone) == (409, "journal_unbalanced")


@pytest.mark.requirement("F15", "F16")
def test_a_month_does_not_close_while_open_items_are_not_the_balance_of_1122(alone):
    sell_on_credit(alone, a_debtor(alone), on=date(2026, 1, 15))
    alone.seal()
    tamper(alone, "update receivable_items set open_fen = open_fen - 1")
    assert close(alone) == (409, "receivables_differ_from_ledger")
    tamper(alone, "update receivable_items set open_fen = open_fen + 1")
    assert close(alone) == (200, None)


@pytest.mark.requirement("F2", "F4", "F5")
def test_a_month_does_not_close_with_a_drawer_uncounted_or_goods_not_costed(alone):
    goods = a_goods_receipt("S001", received_on="2026-01-05")
    assert alone.post("/v1/goods-receipts", goods, role="accountant").status_code == 201
    drawer = {"branch_id": "S001", "drawer": "D1", "till": "t"}
    assert alone.post("/v1/cash-drawers", drawer, role="store_manager").status_code == 201
    opened = {"branch_id": "S001", "drawer": "D1", "float": money(0)}
    assert alone.post("/v1/cash-sessions", opened, role="cashier").status_code == 201
    tamper(alone, "update cash_sessions set opened_at = '2026-01-20T02:00:00Z'")
    alone.seal()
    assert close(alone) == (409, "cash_sessions_open")
    tamper(alone, "update cash_sessions set opened_at = '2026-03-20T02:00:00Z'")
    assert close(alone) == (409, "cost_run_missing")
    cost = {"branch_id": "S001", "month": "2026-01"}
    assert alone.post("/v1/cost-runs", cost, role="accountant").status_code == 201
    alone.seal()
    assert close(alone) == (200, None)


@pytest.mark.requirement("F15", "F16")
@pytest.mark.parametrize(
    ("harm", "code"),
    [
        ("update receivable_items set open_fen = open_fen - 1", "receivables_differ_from_ledger"),
        ("update refunds set total_fen = total_fen + 1", "refunds_differ_from_ledger"),
        ("update points_earned set points = points + 1", "points_not_tied"),
    ],
)
def test_sub_ledgers_are_proved_by_themselves_whether_or_not_a_month_closes(alone, harm, code):
    sell_on_credit(alone, a_debtor(alone))
    sale = alone.sell(sold_at=utc_now().isoformat(), lines=[LINE])
    told = alone.settled(sale, [(0, 2, "restock", 3451, 449, 2300)], settled_on=str(TODAY))
    points = {"branch_id": "S001", "sale_id": sale["sale_id"], "points": 7}
    assert alone.hear(told, alone.envelope("customers.points.earned.v1", points)).parked == 0
    run(alone, jobs.prove_sub_ledgers)
    tamper(alone, harm)
    with pytest.raises(Conflict) as refused:
        run(alone, jobs.prove_sub_ledgers)
    assert refused.value.code == code


@pytest.mark.requirement("F1", "X3")
def test_points_that_were_never_earned_are_parked_under_their_reason(office):
    sale = str(uuid4())
    given = {"customer_id": str(uuid4()), "branch_id": "S001", "sale_id": sale, "points": 10, "money_basis_fen": 1_000}  # fmt: skip
    back = {"customer_id": str(uuid4()), "branch_id": "S001", "sale_id": sale, "points": 11, "return_id": str(uuid4())}  # fmt: skip
    office.hear(office.envelope("customers.points.earned.v1", given))
    office.hear(office.envelope("customers.points.taken_back.v1", back, version=2))
    [(code,)] = office.rows("select reason_code from parked_events")
    assert code == "points_exceed_earned"


def test_a_voucher_list_longer_than_a_spreadsheet_bears_is_refused(office, monkeypatch):
    office.sell(sold_at="2026-03-10T02:00:00Z", lines=[LINE])
    path = "/v1/journals/2026-03/xlsx"
    assert office.get(path).status_code == 200
    monkeypatch.setattr(voucher_list, "LINES_MAX", 2)
    answer = office.get(path)
    assert (answer.status_code, answer.json["code"]) == (409, "voucher_list_too_long")


def test_one_reader_too_many_ledgers_are_sent_away_another_reader_is_not_and_a_place_is_freed_by_who_leaves(
    office,
):
    office.sell(sold_at="2026-03-10T02:00:00Z", lines=[LINE])
    path = "/v1/general-ledgers/2026-03/ndjson"
    reading = [office.get(path) for _ in range(2)]
    assert {answer.status_code for answer in reading} == {200}
    third = office.get(path)
    assert (third.status_code, third.json["code"]) == (429, "ledger_streams_busy")
    assert int(third.headers["Retry-After"]) > 0
    reading.append(office.get(path, person="another"))
    assert reading[-1].status_code == 200
    reading.pop(0).close()
    reading.append(office.get(path))
    assert reading[-1].status_code == 200
    for answer in reading:
        answer.close()


@pytest.mark.requirement("F2", "F7")
@pytest.mark.parametrize(
    ("path", "body", "role"),
    [
        ("/periods/2026-01/close", {}, "finance_head"),
        ("/periods/2026-01/lock", {}, "unit_head"),
        ("/periods/2026-01/reopenings", {"reason": "r"}, "accountant"),
        ("/fiscal-years/2025/transfer", {}, "finance_head"),
        ("/financial-statements", {"kind": "income", "month": "2026-01"}, "accountant"),
        ("/financial-statements?month=2026-01", None, "accountant"),
        ("/financial-statement-deadlines?from_month=2026-01&until_month=2026-02", None, "accountant"),
        ("/crm-projects/CRM-1", None, "accountant"),
    ],
)
def test_a_token_of_one_branch_does_not_act_for_the_company(office, path, body, role):
    path, who = f"/v1{path}", {"role": role, "branches": ["S001"]}
    answer = office.get(path, **who) if body is None else office.post(path, body, **who)
    assert (answer.status_code, answer.json["code"]) == (403, "company_not_covered")


@pytest.mark.requirement("F16")
def test_statements_of_account_are_listed_by_branch(office):
    for branch in ("S001", "S002"):
        customer = a_debtor(office)
        sell_on_credit(office, customer, branch=branch)
        body = {"customer_id": customer, "as_of": str(TODAY)}
        assert office.post("/v1/customer-statements", body, role="accountant").status_code == 201
    path = "/v1/customer-statements?branch_id="
    assert [each["branches"] for each in office.get(f"{path}S002").json["items"]] == [["S002"]]
    assert office.get(f"{path}S009").json["items"] == []
    foreign = office.get(f"{path}S002", branches=["S001"])
    assert (foreign.status_code, foreign.json["code"]) == (403, "foreign_branch")
