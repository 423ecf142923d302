"""Dunning, statements of account, interest and the papers, on real PostgreSQL and with the real fonts."""

import io
import json
import re
from datetime import timedelta
from uuid import uuid4

import pypdf
import pytest

from finance import settings
from finance.account_statements.jobs import state_accounts
from finance.dunning.jobs import dun
from finance.receivables.jobs import charge_interest
from tests.support.debtors import TODAY, a_debtor, agrees, days_ago, items_of, pay, run, sell_on_credit, told
from tests.support.finance_builders import money


def case_of(office, customer, **odd):
    [found] = [
        each for each in office.get(f"/v1/dunning-cases?customer_id={customer}").json["items"] if each["state"] != "settled"
    ]  # fmt: skip
    return office.get(f"/v1/dunning-cases/{found['case_id']}").json


def act(office, case, *, role="accountant", **odd):
    body = {
        "channel": "phone",
        "outcome": "reached",
        "text_version": "phone-1",
        "contact_id": str(uuid4()),
        **odd,
    }
    return office.post(f"/v1/dunning-cases/{case['case_id']}/actions", body, role=role)


def overdue(office, days, fen=10_000, customer=None, **odd):
    """A customer with one debt that many days past due, and its case raised."""
    customer = customer or a_debtor(office, **odd)
    sell_on_credit(office, customer, fen, on=days_ago(days + 30))
    run(office, dun)
    return customer


@pytest.mark.requirement("F14")
def test_a_debt_is_dunned_from_the_first_day_past_due_and_never_before(office):
    assert office.get(f"/v1/dunning-cases?customer_id={overdue(office, 0)}").json["items"] == []
    customer = overdue(office, 1)
    case = case_of(office, customer)
    assert (case["state"], case["level"], case["done_level"]) == ("action_due", 1, 0)
    run(office, dun)
    assert case_of(office, customer) == case
    [reached] = told(office, "finance.dunning.level_reached.v1", customer)
    assert (reached["level"], reached["kind"], reached["days"], reached["amount_fen"]) == (
        1,
        "phone",
        1,
        10_000,
    )
    assert [each["days"] for each in told(office, "finance.receivable.overdue.v1", customer)] == [1]


@pytest.mark.requirement("F14")
def test_overdue_is_told_again_in_every_older_bucket_and_only_then(office):
    customer = overdue(office, 1)
    for ahead in (20, 29, 30, 31, 60, 60, 400):
        run(office, dun, TODAY + timedelta(days=ahead))
    assert [each["days"] for each in told(office, "finance.receivable.overdue.v1", customer)] == [
        1,
        31,
        61,
        401,
    ]


@pytest.mark.requirement("F14")
def test_the_ladder_of_a_real_debt_ends_at_law_and_payment_ends_it_anywhere(office):
    customer = overdue(office, 70)
    case = case_of(office, customer)
    wrong = act(office, case, channel="letter")
    assert (wrong.status_code, wrong.json["code"]) == (422, "dunning_channel_differs")
    script = office.get(f"/v1/dunning-cases/{case['case_id']}/scripts").json
    assert "100.00" in "".join(script["body"])
    assert "70" in "".join(script["body"])
    done = act(office, case, outcome="not_reached", text_version=script["version"], role="salesperson")
    assert (done.json["state"], done.json["done_level"]) == ("waiting", 1)
    assert done.json["next_on"] == str(TODAY + timedelta(days=7))
    early = office.post("/v1/dunning-letters", {"customer_id": customer, "level": 2}, role="accountant")
    assert early.json["code"] == "dunning_letter_not_due"
    run(office, dun, TODAY + timedelta(days=7))
    assert (case_of(office, customer)["level"], case_of(office, customer)["state"]) == (2, "action_due")
    letter = office.post("/v1/dunning-letters", {"customer_id": customer, "level": 2}, role="accountant")
    assert letter.status_code == 201, letter.json
    run(office, dun, TODAY + timedelta(days=14))
    legal = {"customer_id": customer, "level": 3, "language": "en"}
    assert office.post("/v1/dunning-letters", legal, role="accountant").json["code"] == "dunning_role_missing"
    assert office.post("/v1/dunning-letters", legal, role="finance_head").status_code == 201
    case = case_of(office, customer)
    assert (case["state"], [each["channel"] for each in case["actions"]]) == (
        "final",
        ["phone", "letter", "lawyer_letter"],
    )
    sued = act(office, case, channel="lawsuit", text_version="claim-1", role="finance_head")
    assert (sued.status_code, sued.json["state"]) == (201, "final")
    assert [
        (each["level"], each["channel"]) for each in told(office, "finance.dunning.action_done.v1", customer)
    ] == [
        (1, "phone"),
        (2, "letter"),
        (3, "lawyer_letter"),
        (3, "lawsuit"),
    ]
    pay(office, customer, 10_000, oldest_first=True)
    closed = office.get(f"/v1/dunning-cases/{case['case_id']}").json
    assert (closed["state"], closed["closed_on"]) == ("settled", str(TODAY))
    assert act(office, case).json["code"] == "dunning_not_active"


@pytest.mark.requirement("F14")
def test_a_promise_pauses_a_broken_one_climbs_and_a_kept_one_does_not(office):
    breaker, keeper = overdue(office, 2), overdue(office, 2)
    promise = {"amount": money(4_000), "date": str(TODAY + timedelta(days=5))}
    for customer in (breaker, keeper):
        answer = act(office, case_of(office, customer), outcome="promised", promise=promise)
        assert (answer.json["state"], answer.json["promised"]) == ("promised", money(4_000))
    assert act(office, case_of(office, keeper), outcome="promised").json["code"] == "promise_invalid"
    pay(office, keeper, 4_000, oldest_first=True)
    run(office, dun, TODAY + timedelta(days=5))
    assert case_of(office, breaker)["state"] == "promised"
    run(office, dun, TODAY + timedelta(days=6))
    broken, kept = case_of(office, breaker), case_of(office, keeper)
    assert (broken["state"], broken["level"], broken["promises_broken"]) == ("action_due", 2, 1)
    assert (kept["state"], kept["level"], kept["promises_broken"]) == ("waiting", 1, 0)
    assert told(office, "finance.dunning.level_reached.v1", breaker)[-1]["promise_broken"] is True


@pytest.mark.requirement("F14", "F16")
def test_a_dispute_pauses_dunning_until_it_is_resolved(office):
    customer = overdue(office, 3)
    [item] = items_of(office, customer)
    path = f"/v1/receivable-items/{item['item_id']}"
    assert (
        office.post(f"{path}/resolve", {"reason": "x"}, role="finance_head").json["code"]
        == "dispute_not_possible"
    )
    assert (
        office.post(f"{path}/dispute", {"reason": "short delivery"}, role="cs_agent").json["state"]
        == "disputed"
    )
    assert (
        office.post(f"{path}/dispute", {"reason": "again"}, role="cs_agent").json["code"]
        == "dispute_not_possible"
    )
    case = case_of(office, customer)
    assert case["state"] == "paused"
    assert act(office, case).json["code"] == "dunning_not_active"
    run(office, dun, TODAY + timedelta(days=90))
    assert case_of(office, customer)["state"] == "paused"
    assert office.post(f"{path}/resolve", {"reason": "proved"}, role="accountant").status_code == 403
    assert office.post(f"{path}/resolve", {"reason": "proved"}, role="finance_head").status_code == 200
    assert (case_of(office, customer)["state"], case_of(office, customer)["level"]) == ("action_due", 1)
    on_the_phone = act(office, case_of(office, customer), outcome="disputed")
    assert on_the_phone.json["state"] == "paused"
    assert items_of(office, customer)[0]["state"] == "disputed"


def test_a_blocked_case_reminds_nobody_until_it_is_unblocked(office):
    case = case_of(office, overdue(office, 3))
    path = f"/v1/dunning-cases/{case['case_id']}"
    assert (
        office.post(f"{path}/unblock", {"reason": "x"}, role="finance_head").json["code"]
        == "dunning_not_stopped"
    )
    assert office.post(f"{path}/block", {"reason": "merger"}, role="finance_head").json["state"] == "blocked"
    assert (
        office.post(f"{path}/block", {"reason": "merger"}, role="finance_head").json["code"]
        == "dunning_not_active"
    )
    assert act(office, case).json["code"] == "dunning_not_active"
    assert (
        office.post(f"{path}/unblock", {"reason": "done"}, role="finance_head").json["state"] == "action_due"
    )
    assert office.get(f"/v1/dunning-cases/{uuid4()}").json["code"] == "dunning_case_unknown"


def test_there_is_one_active_case_per_debt(office):
    case = case_of(office, overdue(office, 3))
    with pytest.raises(Exception, match="dunning_cases_active"):
        office.rows(
            "insert into dunning_cases select gen_random_uuid(), item_id, customer_id, branch_id, 'waiting', 0, 0, null,"
            " null, null, null, 0, null, opened_on, null, 0 from dunning_cases where case_id = cast(:id as uuid)",
            id=case["case_id"],
        )


# --- interest ---------------------------------------------------------------------------------------


@pytest.mark.requirement("F14")
def test_interest_is_an_item_of_its_own_that_paying_the_principal_never_loses(office):
    customer = a_debtor(office)
    sell_on_credit(office, customer, 10_000_000, on=days_ago(130))
    pay(office, customer, 10_000_000, received_on=str(days_ago(10)), oldest_first=True)
    run(office, charge_interest)
    [principal], [interest] = items_of(office, customer, "sale"), items_of(office, customer, "interest")
    assert principal["state"] == "settled"
    assert interest["amount"]["fen"] == pytest.approx(10_000_000 * 0.039 * 90 / 365, abs=2)
    assert (interest["principal_id"], interest["open"]) == (principal["item_id"], interest["amount"])
    run(office, charge_interest)
    assert len(items_of(office, customer, "interest")) == 1
    lines = dict(
        office.rows(
            "select l.account, l.debit_fen - l.credit_fen from journal_entries e join journal_lines l on l.entry_id ="
            " e.id where e.source_id = cast(:id as uuid)",
            id=interest["source_id"],
        )
    )
    fen = interest["amount"]["fen"]
    tax = round(fen * 0.13 / 1.13)
    assert lines == {"1122": fen, "6301": tax - fen, "2221.01.01": -tax}
    assert agrees(office)
    run(office, dun, TODAY + timedelta(days=2))
    case = case_of(office, customer)
    assert (case["item_id"], case["level"], case["state"]) == (interest["item_id"], 1, "action_due")


@pytest.mark.requirement("F14")
def test_interest_of_a_debt_that_is_open_is_dunned_with_it(office):
    customer = a_debtor(office)
    sell_on_credit(office, customer, 10_000_000, on=days_ago(130))
    run(office, charge_interest)
    run(office, dun, TODAY + timedelta(days=2))
    [principal] = items_of(office, customer, "sale")
    assert len(items_of(office, customer, "interest")) == 1
    assert case_of(office, customer)["item_id"] == principal["item_id"]


def test_patients_and_disputed_debts_bear_no_interest(office):
    patient, disputer = a_debtor(office, "patient"), a_debtor(office)
    for customer in (patient, disputer):
        sell_on_credit(office, customer, 10_000_000, on=days_ago(130))
    [item] = items_of(office, disputer)
    office.post(f"/v1/receivable-items/{item['item_id']}/dispute", {"reason": "x"}, role="accountant")
    run(office, charge_interest)
    assert items_of(office, patient, "interest") == items_of(office, disputer, "interest") == []


# --- papers -----------------------------------------------------------------------------------------


def fonts_and_text(answer):
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    reader = pypdf.PdfReader(io.BytesIO(answer.data))
    fonts = [
        font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    ]
    return fonts, re.sub(r"\s", "", "".join(page.extract_text() for page in reader.pages))


@pytest.fixture
def account_to_pay_into(monkeypatch):
    """The company as a deployment describes it, with where its debtors pay."""
    row = {
        "zh": "甲药房",
        "en": "A",
        "pay_to": "工商银行北京分行 0200 0010 0901",
        "effective_from": "2020-01-01",
    }
    monkeypatch.setenv("APOTHECA_COMPANY", json.dumps([row]))
    settings._companies.cache_clear()
    yield row["pay_to"]
    monkeypatch.undo()
    settings._companies.cache_clear()


@pytest.mark.requirement("F14", "F16")
def test_a_letter_tells_where_to_pay(office, account_to_pay_into):
    customer = overdue(office, 40, 5_000)
    act(office, case_of(office, customer))
    run(office, dun, TODAY + timedelta(days=7))
    body = {"customer_id": customer, "level": 2}
    letter = office.post("/v1/dunning-letters", body, role="accountant").json
    _, said = fonts_and_text(office.get(f"/v1/dunning-letters/{letter['letter_id']}/pdf"))
    assert "收款账户:" + account_to_pay_into.replace(" ", "") in said


@pytest.mark.requirement("F14")
def test_a_letter_names_every_overdue_item_of_its_customer_with_its_fonts_inside(office):
    customer = overdue(office, 20, 123_450)
    sell_on_credit(office, customer, 200, on=days_ago(31), branch="S002")
    sell_on_credit(office, customer, 999, on=days_ago(10))  # not due yet
    act(office, case_of(office, customer))
    run(office, dun, TODAY + timedelta(days=7))
    body = {"customer_id": customer, "level": 2}
    assert office.post("/v1/dunning-letters", body, role="accountant", branches=["S001"]).json["code"] == "foreign_branch"  # fmt: skip
    letter = office.post("/v1/dunning-letters", body, role="accountant").json
    assert (letter["total"], [each["days"] for each in letter["items"]]) == (money(123_650), [20, 1])
    assert letter["branches"] == ["S001", "S002"]
    fonts, said = fonts_and_text(office.get(f"/v1/dunning-letters/{letter['letter_id']}/pdf"))
    assert fonts
    assert all("/FontFile3" in font or "/FontFile2" in font for font in fonts)
    assert all("Apotheca" in font["/FontFamily"].decode("latin1") if isinstance(font["/FontFamily"], bytes) else "Apotheca" in font["/FontFamily"] for font in fonts)  # fmt: skip
    assert "催款函" in said
    assert "壹仟贰佰叁拾陆元伍角整" in said
    assert "1,234.50" in said
    assert "示例药房连锁有限公司" in said
    assert "收款账户" not in said, "nobody said where to pay"
    receipts = "select receipt_number from receipts join receivable_items on sale_id = source_id where item_id = any(cast(:ids as uuid[]))"  # fmt: skip
    numbers = office.rows(receipts, ids=[each["item_id"] for each in letter["items"]])
    assert all(number in said for (number,) in numbers)
    assert len(numbers) == 2
    pay(office, customer, 123_450, oldest_first=True)
    assert office.get(f"/v1/dunning-letters/{letter['letter_id']}").json["total"] == money(123_650)  # frozen
    assert office.get(f"/v1/dunning-letters/{letter['letter_id']}/pdf", branches=["S001"]).status_code == 404
    assert office.get(f"/v1/dunning-letters/{uuid4()}").json["code"] == "dunning_letter_unknown"


@pytest.mark.requirement("F16")
def test_a_statement_of_account_is_answered_item_by_item_and_disputes_pause_dunning(office):
    customer = overdue(office, 5, 7_000)
    sell_on_credit(office, customer, 3_000, on=days_ago(20))
    body = {"customer_id": customer, "as_of": str(days_ago(1))}
    issued = office.post("/v1/customer-statements", body, role="accountant")
    assert issued.status_code == 201, issued.json
    statement = issued.json
    assert (statement["total"], len(statement["items"]), statement["state"]) == (money(10_000), 2, "issued")
    assert (
        office.post("/v1/customer-statements", body, role="accountant").json["code"]
        == "customer_statement_exists"
    )
    path = f"/v1/customer-statements/{statement['customer_statement_id']}"
    first, second = statement["items"]
    answers = [
        {"item_id": first["item_id"], "answer": "disputed", "reason": "never received"},
        {"item_id": second["item_id"], "answer": "confirmed"},
    ]
    early = office.post(f"{path}/answer", {"answers": answers}, role="accountant")
    assert early.json["code"] == "customer_statement_state_wrong"
    assert office.post(f"{path}/send", {"channel": "letter"}, role="salesperson").json["state"] == "sent"
    assert office.post(f"{path}/send", {"channel": "letter"}, role="salesperson").status_code == 409
    for incomplete in (answers[:1], [*answers, answers[0]], [{**answers[0], "reason": None}, answers[1]]):
        refused = office.post(f"{path}/answer", {"answers": incomplete}, role="accountant")
        assert refused.json["code"] == "customer_statement_answers_incomplete"
    done = office.post(f"{path}/answer", {"answers": answers, "contact_id": str(uuid4())}, role="salesperson")
    assert (done.json["state"], [each["answer"] for each in done.json["items"]]) == (
        "disputed",
        ["disputed", "confirmed"],
    )
    assert case_of(office, customer)["state"] == "paused"
    fonts, said = fonts_and_text(office.get(f"{path}/pdf"))
    assert all("/FontFile3" in font for font in fonts)
    assert "对账函" in said
    assert "Statementofaccount" in fonts_and_text(office.get(f"{path}/pdf?lang=en"))[1]
    listed = office.get(f"/v1/customer-statements?customer_id={customer}").json["items"]
    assert [each["state"] for each in listed] == ["disputed"]
    assert (
        office.get(f"/v1/customer-statements?customer_id={customer}", branches=["S009"]).json["items"] == []
    )
    assert office.get(path, branches=["S009"]).status_code == 404


def test_a_statement_that_cannot_be_is_refused(office):
    customer = a_debtor(office)

    def code(as_of, **odd):
        body = {"customer_id": customer, "as_of": str(as_of)}
        return office.post("/v1/customer-statements", body, role="accountant", **odd).json.get("code")

    assert code(TODAY) == "customer_statement_empty"
    assert code(days_ago(-1)) == "customer_statement_day_invalid"
    sell_on_credit(office, customer, 100)
    assert code(TODAY, branches=["S002"]) == "foreign_branch"
    assert code(days_ago(1)) == "customer_statement_empty"


@pytest.mark.requirement("F16")
def test_accounts_are_stated_by_themselves_after_each_quarter(office):
    customer = a_debtor(office)
    sell_on_credit(office, customer, 500, on=days_ago(100))
    run(office, state_accounts)
    run(office, state_accounts)
    listed = office.get(f"/v1/customer-statements?customer_id={customer}").json["items"]
    assert len(listed) == 1
    assert listed[0]["state"] == "issued"
