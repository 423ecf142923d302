"""Whatever posts an expense draws on its budget: no path leads around it, and what budgets say is what the ledger says."""

import random
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, text

from finance.spendings.queries import BudgetsDiffer, require_tied
from tests.support.expenses_builders import (
    Desk,
    a_branch,
    a_goods_line,
    a_goods_receipt,
    an_item,
    at_once,
    today,
)
from tests.support.finance_builders import money, refused

ACCOUNTS = {"travel": "6601.01", "office": "6601.07", "administration": "6602"}
YES, NO = {"decision": "approved"}, {"decision": "rejected", "reason": "not this year"}


@pytest.fixture(scope="module")
def desk(office):
    return Desk(office)


@contextmanager
def listening(target, name, listener):
    event.listen(target, name, listener)
    try:
        yield
    finally:
        event.remove(target, name, listener)


def drafted(office, branch, fen, *, account="6601.01", booked_on=None, **odd):
    """A voucher that spends `fen`, or takes back what is below 0."""
    spent, paid = ("debit", "credit") if fen > 0 else ("credit", "debit")
    body = {
        "booked_on": str(booked_on or today()),
        "branch_id": branch,
        "summary": "差旅费",
        "lines": [{"account": account, spent: money(abs(fen))}, {"account": "1002", paid: money(abs(fen))}],
        **odd,
    }
    answer = office.post("/v1/vouchers", body, role="accountant")
    assert answer.status_code == 201, answer.json
    return answer.json


def post(office, voucher, **identity):
    path = f"/v1/vouchers/{voucher['voucher_id']}/decisions"
    return office.post(path, YES, role="finance_head", **identity)


def posted(office, *arguments, **odd):
    voucher = drafted(office, *arguments, **odd)
    answer = post(office, voucher)
    assert answer.status_code == 200, answer.json
    return voucher


def reverse(office, voucher):
    entry = office.value(
        "select id from journal_entries where source_id = cast(:id as uuid) and kind = 'manual'",
        id=voucher["voucher_id"],
    )
    return office.post(f"/v1/journal-entries/{entry}/reverse", {"reason": "错误"}, role="finance_head")


def pay_out(office, branch, fen):
    body = {"branch_id": branch, "kind": "payout", "amount": money(fen), "reason": "petty_expense"}
    return office.post("/v1/safe-movements", body, role="cashier")


def fill_safe(office, branch, fen):
    body = {"branch_id": branch, "kind": "bank_withdrawal", "amount": money(fen)}
    assert office.post("/v1/safe-movements", body, role="cashier").status_code == 201


def spending(office, branch):
    """Booked, drawn and unbudgeted fen of this month by category."""
    items = office.get(f"/v1/spendings?month={today():%Y-%m}&branch_id={branch}").json["items"]
    assert {each["account"] for each in items} == {ACCOUNTS[each["category"]] for each in items}
    return {
        each["category"]: tuple(each[name]["fen"] for name in ("booked", "drawn", "unbudgeted"))
        for each in items
    }


# --- vouchers ---------------------------------------------------------------------------------------


@pytest.mark.requirement("F20")
def test_a_voucher_to_a_budgeted_account_draws_on_the_budget_and_stops_where_that_stops(office, desk):
    branch = a_branch()
    budget = desk.budget(branch, 25_000)
    posted(office, branch, 20_000)
    assert desk.counters(budget) == (0, 20_000)
    refused(desk.submit(desk.draft(branch)["claim_id"]), 409, "budget_exceeded")
    over = drafted(office, branch, 5_001)
    assert over["warnings"] == [{"code": "budget_exceeded", "category": None, "budget_id": budget}]
    told = refused(post(office, over), 409, "budget_exceeded")
    assert (told["available_fen"], told["needed_fen"]) == (5_000, 5_001)
    last = drafted(office, branch, 5_000)
    assert last["warnings"] == []
    assert post(office, last).json["state"] == "posted"
    assert desk.counters(budget) == (0, 25_000)
    assert spending(office, branch) == {"travel": (25_000, 25_000, 0)}


@pytest.mark.requirement("F20", "X1")
def test_a_voucher_exceeds_a_budget_only_when_finance_head_and_management_let_it(office, desk):
    branch = a_branch()
    budget = desk.budget(branch, 4_000, overrun="approval")
    within, voucher = drafted(office, branch, 4_000), drafted(office, branch, 10_000)
    listed = f"/v1/vouchers?waits_for=overrun&branch_id={branch}"
    waiting = office.get(listed, role="management").json["items"]
    assert [each["voucher_id"] for each in waiting] == [voucher["voucher_id"]] != [within["voucher_id"]]
    path = f"/v1/vouchers/{voucher['voucher_id']}/overrun/decisions"
    assert [each["code"] for each in voucher["warnings"]] == ["budget_overrun_not_approved"]
    refused(post(office, voucher), 409, "budget_overrun_not_approved")
    refused(office.post(path, YES, role="management", person="the-accountant"), 403, "approval_same_person")
    assert office.post(path, YES, role="finance_head").status_code == 200
    refused(post(office, voucher), 409, "budget_overrun_not_approved")
    refused(office.post(path, YES, role="management", person="the-finance_head"), 403, "approval_same_person")
    assert len(office.get(listed, role="management").json["items"]) == 1
    assert office.post(path, YES, role="management").json["warnings"] == []
    assert office.get(listed, role="management").json["items"] == []
    assert post(office, voucher).json["state"] == "posted"
    assert desk.counters(budget) == (0, 10_000)
    [(told, over)] = office.rows(
        "select data, amount_fen from outbox where type = 'finance.budget.exceeded.v1' and subject = :id",
        id=budget,
    )
    source = (told["source_kind"], told["source_id"], told["claim_id"])
    assert (*source, over) == ("manual", voucher["voucher_id"], None, 6_000)


@pytest.mark.requirement("F20")
def test_a_page_of_drafts_is_judged_together_each_by_itself(office, desk):
    branch, other = a_branch(), a_branch()
    desk.budget(branch, 4_000, overrun="approval")
    desk.budget(other, 4_000)
    drafts = [drafted(office, each, fen) for fen in (4_001, 4_000, 9_000) for each in (branch, other)]
    over = [drafts[0], drafts[4]]
    listed = f"/v1/vouchers?waits_for=overrun&month={today():%Y-%m}&branch_id={branch}"
    first = office.get(f"{listed}&limit=1", role="management").json
    rest = office.get(f"{listed}&limit=1&cursor={first['next_cursor']}", role="management").json
    found = [each["voucher_id"] for page in (first, rest) for each in page["items"]]
    assert (found, rest["next_cursor"]) == ([each["voucher_id"] for each in over], None)


@pytest.mark.requirement("F20")
def test_ten_drafts_are_judged_in_as_many_statements_as_one(office, desk):
    branch = a_branch()
    desk.budget(branch, 4_000, overrun="approval")
    listed = f"/v1/vouchers?waits_for=overrun&branch_id={branch}"

    def statements():
        told = []
        with listening(Engine, "before_cursor_execute", lambda *said: told.append(said[2])):
            found = office.get(listed, role="management").json["items"]
        return len(found), len(told)

    drafted(office, branch, 4_001)
    (one, asked), _ = statements(), drafted(office, branch, 3_000)
    for _ in range(9):
        drafted(office, branch, 5_000)
    assert (one, statements()) == (1, (10, asked))


@pytest.mark.requirement("F20")
def test_only_drafts_wait_for_a_word_on_their_overrun(office):
    for state, answer in (("draft", 200), ("posted", 422), ("rejected", 422)):
        told = office.get(f"/v1/vouchers?waits_for=overrun&state={state}", role="management")
        assert told.status_code == answer
    assert [each["path"] for each in told.json["errors"]] == ["waits_for"]


@pytest.mark.requirement("F20")
def test_an_overrun_that_is_not_let_through_rejects_the_voucher(office, desk):
    branch = a_branch()
    desk.budget(branch, 4_000, overrun="approval")
    voucher = drafted(office, branch, 10_000)
    path = f"/v1/vouchers/{voucher['voucher_id']}/overrun/decisions"
    told = office.post(path, NO, role="management").json
    assert (told["state"], told["decided_by"], told["warnings"]) == ("rejected", "the-management", [])
    refused(post(office, voucher), 409, "voucher_decided")
    refused(office.post(path, YES, role="finance_head"), 409, "voucher_decided")


@pytest.mark.requirement("F20")
def test_a_reversal_gives_back_what_the_voucher_drew_and_nothing_more(office, desk):
    branch = a_branch()
    before = posted(office, branch, 3_000)
    budget = desk.budget(branch, 20_000)
    voucher = posted(office, branch, 20_000)
    assert reverse(office, voucher).status_code == 201
    assert desk.counters(budget) == (0, 0)
    assert reverse(office, before).status_code == 201
    assert desk.counters(budget) == (0, 0)
    posted(office, branch, 20_000)
    posted(office, branch, -20_500)
    assert desk.counters(budget) == (0, -500)
    assert spending(office, branch) == {"travel": (-500, -500, 0)}


@pytest.mark.requirement("F20")
def test_a_credit_that_made_room_is_not_reversed_once_the_room_is_used(office, desk):
    branch = a_branch()
    budget = desk.budget(branch, 1_000)
    credit = posted(office, branch, -5_000)
    posted(office, branch, 6_000)
    refused(reverse(office, credit), 409, "budget_exceeded")
    assert desk.counters(budget) == (0, 1_000)


@pytest.mark.requirement("F20")
def test_a_voucher_draws_on_the_budget_of_the_day_it_is_booked_to(office, desk):
    branch = a_branch()
    first = today().replace(day=1)
    last_month = desk.budget(branch, 1_000, until=str(first - timedelta(days=1)))
    this_month = desk.budget(branch, 1_000, **{"from": str(first)})
    posted(office, branch, 700, booked_on=first - timedelta(days=1))
    refused(post(office, drafted(office, branch, 1_001)), 409, "budget_exceeded")
    late = posted(office, branch, 200, booked_on=first - timedelta(days=2))
    assert reverse(office, late).status_code == 201
    assert (desk.counters(last_month), desk.counters(this_month)) == ((0, 700), (0, 0))


@pytest.mark.requirement("F20")
def test_what_is_reserved_when_a_budget_ends_is_spent_of_it_later(office, desk):
    branch = a_branch()
    first = today().replace(day=1)
    before = first - timedelta(days=1)
    last_month = desk.budget(branch, 10_000, until=str(before))
    this_month = desk.budget(branch, 10_000, **{"from": str(first)})
    desk.approved(branch, an_item(spent_on=str(before)))
    assert (desk.counters(last_month), desk.counters(this_month)) == ((0, 10_000), (0, 0))
    assert spending(office, branch) == {"travel": (10_000, 10_000, 0)}


@pytest.mark.requirement("F20")
def test_where_only_departments_have_a_budget_a_voucher_names_one_of_them(office, desk):
    branch = a_branch()
    budget = desk.budget(branch, 1_000, department="wholesale")
    for department in ("", "retail"):
        voucher = drafted(office, branch, 500, department=department)
        assert [each["code"] for each in voucher["warnings"]] == ["expense_unbudgeted"]
        assert refused(post(office, voucher), 409, "expense_unbudgeted")["categories"] == ["travel"]
    posted(office, branch, 500, department="wholesale")
    assert desk.counters(budget) == (0, 500)


@pytest.mark.requirement("F20")
def test_what_no_budget_of_the_branch_covers_is_booked_and_told_as_unbudgeted(office, desk):
    branch = a_branch()
    budget = desk.budget(branch, 1_000)
    posted(office, branch, 600, account="6601.07")
    posted(office, branch, 400)
    assert desk.counters(budget) == (0, 400)
    assert spending(office, branch) == {"office": (600, 0, 600), "travel": (400, 400, 0)}
    elsewhere = office.get(
        f"/v1/spendings?month={today():%Y-%m}&branch_id={branch}", role="accountant", branches=["X"]
    )
    refused(elsewhere, 403, "foreign_branch")


# --- other paths ------------------------------------------------------------------------------------


@pytest.mark.requirement("F4", "F20")
def test_petty_cash_draws_on_the_budget_of_administration_and_stops_with_it(office, desk):
    branch = a_branch()
    fill_safe(office, branch, 10_000)
    budget = desk.budget(branch, 1_000, category="administration")
    assert pay_out(office, branch, 900).status_code == 201
    refused(pay_out(office, branch, 101), 409, "budget_exceeded")
    change = {"amount": money(1_000), "overrun": "approval"}
    office.post(f"/v1/budgets/{budget}/change", change, role="finance_head")
    refused(pay_out(office, branch, 101), 409, "budget_overrun_not_approved")
    assert pay_out(office, branch, 100).status_code == 201
    assert desk.counters(budget) == (0, 1_000)


@pytest.mark.requirement("F4", "F20")
def test_a_shortage_that_the_house_bears_is_booked_beyond_the_budget_and_told(office, desk):
    branch = a_branch()
    fill_safe(office, branch, 10_000)
    budget = desk.budget(branch, 100, category="administration")
    count = {"branch_id": branch, "denominations": [{"denomination_fen": 5_000, "pieces": 1}]}
    found = office.post("/v1/cash-counts", count, role="finance_auditor")
    assert found.status_code == 201, found.json
    variance = office.value("select variance_id from cash_variances where branch_id = :branch", branch=branch)
    done = office.post(
        f"/v1/cash-variances/{variance}/resolve",
        {"outcome": "expense", "reason": "not found"},
        role="finance_auditor",
        person="another-auditor",
    )
    assert done.status_code == 200, done.json
    assert desk.counters(budget) == (0, 5_000)
    told = office.rows(
        "select data->>'source_kind', amount_fen from outbox where type = 'finance.budget.exceeded.v1'"
        " and subject = :id",
        id=budget,
    )
    assert told == [("cash_variance_resolved", 4_900)]


@pytest.mark.requirement("F20", "F25")
def test_samples_draw_when_they_are_issued_and_beyond_the_budget_wait_for_two(office, desk):
    branch = a_branch()
    line = a_goods_line(product_id="S-1", quantity=10, unit_price=money(700))
    bought = a_goods_receipt(branch, line, received_on=str(today()))
    assert office.post("/v1/goods-receipts", bought, role="accountant").status_code == 201
    budget = desk.budget(branch, 1_399, category="samples", overrun="approval")
    asked = {
        "branch_id": branch,
        "kind": "product",
        "recipient": "internal",
        "purpose": "laboratory",
        "product_id": "S-1",
        "generic_name": "阿莫西林胶囊",
        "category": "rx",
        "lot": "L1",
        "expiry": "2099-12-31",
        "quantity": 1,
        "reason": "质量对比",
    }

    def approved():
        sample_id = office.post("/v1/samples", asked, role="salesperson", person="sally").json["sample_id"]
        for role in ("business_head", "qa"):
            assert office.post(f"/v1/samples/{sample_id}/decisions", YES, role=role).status_code == 200
        return f"/v1/samples/{sample_id}"

    first, second, third = approved(), approved(), approved()
    assert office.post(f"{first}/issue", role="storekeeper").status_code == 200
    assert desk.counters(budget) == (0, 700)
    refused(office.post(f"{second}/issue", role="storekeeper"), 409, "budget_overrun_not_approved")
    own = office.post(f"{second}/overrun/decisions", YES, role="management", person="sally")
    refused(own, 403, "approval_same_person")
    for role in ("finance_head", "management"):
        assert office.post(f"{second}/overrun/decisions", YES, role=role).status_code == 200
    assert office.post(f"{second}/issue", role="storekeeper").status_code == 200
    assert office.post(f"{third}/overrun/decisions", NO, role="management").json["state"] == "rejected"
    assert desk.counters(budget) == (0, 1_400)
    change = {"amount": money(1_400), "overrun": "stop"}
    assert office.post(f"/v1/budgets/{budget}/change", change, role="finance_head").status_code == 200
    refused(office.post(f"{approved()}/issue", role="storekeeper"), 409, "budget_exceeded")


# --- at once ----------------------------------------------------------------------------------------


@pytest.mark.requirement("F20")
def test_vouchers_and_claims_at_once_never_spend_the_last_of_a_budget_twice(office, desk):
    branch = a_branch()
    budget = desk.budget(branch, 35_000)
    claims = [desk.draft(branch, person=f"b{no}")["claim_id"] for no in range(4)]
    vouchers = [drafted(office, branch, 10_000) for _ in range(4)]
    jobs = [lambda id_=id_, no=no: desk.submit(id_, person=f"b{no}") for no, id_ in enumerate(claims)]
    jobs += [lambda voucher=voucher: post(office, voucher) for voucher in vouchers]
    answers = at_once(jobs)
    codes = sorted(answer.json.get("code", "ok") for answer in answers)
    assert codes == ["budget_exceeded"] * 5 + ["ok"] * 3
    assert sum(desk.counters(budget)) == 30_000


# --- always -----------------------------------------------------------------------------------------


@pytest.mark.requirement("F20")
def test_through_any_history_budgets_say_what_the_ledger_says(office, desk):
    chance = random.Random(20)
    branch = a_branch()
    fill_safe(office, branch, 100_000)
    of = {
        "travel": desk.budget(branch, 60_000),
        "administration": desk.budget(branch, 5_000, category="administration"),
    }
    standing, unbudgeted = [], 0
    for _ in range(60):
        step = chance.choice(("claim", "voucher", "voucher", "back", "payout", "reject", "office"))
        if step in {"claim", "reject"}:
            claim_id = desk.draft(branch, an_item(amount=money(chance.randint(2_000, 9_000)), tax=money(100)))["claim_id"]  # fmt: skip
            if desk.submit(claim_id).status_code == 200:
                desk.manage(claim_id, approved=step == "claim", reason="no")
                if step == "claim" and chance.random() < 0.7:
                    desk.audit(
                        claim_id, {"no": 1, "outcome": "reduce", "accepted": money(1_000), "reason": "r"}
                    )
                    desk.approve(claim_id)
        elif step == "voucher":
            voucher = drafted(office, branch, chance.choice((1, -1)) * chance.randint(1, 15_000))
            if post(office, voucher).status_code == 200:
                standing.append(voucher)
        elif step == "back" and standing:
            voucher = chance.choice(standing)
            if reverse(office, voucher).status_code == 201:
                standing.remove(voucher)
        elif step == "payout":
            pay_out(office, branch, chance.randint(1, 2_000))
        elif step == "office":
            fen = chance.randint(1, 900)
            posted(office, branch, fen, account="6601.07")
            unbudgeted += fen
        told = spending(office, branch)
        for category, budget in of.items():
            reserved, actual = desk.counters(budget)
            assert min(reserved, 0) == 0
            assert told.get(category, (0, 0, 0)) == (actual, actual, 0)
        assert told.get("office", (0, 0, 0)) == (unbudgeted, 0, unbudgeted)
    assert unbudgeted
    assert standing
    with office.database.begin() as conn:
        require_tied(conn, today().replace(day=1))


@pytest.mark.requirement("F20")
@pytest.mark.parametrize(
    "tampering",
    [
        "update budgets set actual_fen = actual_fen + 1 where budget_id = :budget",
        (
            "with more as (update budgets set actual_fen = actual_fen + 1 where budget_id = :budget)"
            " insert into budget_movements (budget_id, source_kind, source_id, reserved_fen, actual_fen, category, booked_on,"
            " actor, at) select budget_id, source_kind, source_id, 0, 1, category, booked_on, actor, at"
            " from budget_movements where budget_id = :budget"
        ),
    ],
)
def test_a_budget_that_is_not_the_ledgers_keeps_the_month_open(office, desk, tampering):
    branch = a_branch()
    budget = desk.budget(branch, 1_000)
    posted(office, branch, 600)
    month = today().replace(day=1)
    with office.database.begin() as conn, conn.begin_nested() as undone:
        require_tied(conn, month)
        conn.execute(text(tampering), {"budget": budget})
        with pytest.raises(BudgetsDiffer):
            require_tied(conn, month)
        undone.rollback()


@pytest.mark.requirement("F20")
def test_the_last_that_was_told_of_every_budget_is_how_it_stands(office, desk):
    branch = a_branch()
    desk.budget(branch, 10_000)
    posted(office, branch, 4_000)
    stands = "budget_id, version, amount_fen, reserved_fen, actual_fen"
    told = office.rows(
        "select distinct on (subject) cast(subject as uuid), version, cast(data ->> 'amount_fen' as bigint),"
        " cast(data ->> 'reserved_fen' as bigint), cast(data ->> 'actual_fen' as bigint) from outbox"
        " where type = 'finance.budget_standing.changed.v1' order by subject, version desc"
    )
    assert {tuple(row) for row in told} == {
        tuple(row) for row in office.rows(f"select {stands} from budgets")
    }
    assert (branch, 4_000) in {
        tuple(row)
        for row in office.rows(
            "select branch_id, actual_fen from budgets where branch_id = :branch", branch=branch
        )
    }
