"""A claim from draft to payment, its budget, and every way it is refused."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.support.expenses_builders import (
    Desk,
    a_branch,
    a_claim,
    a_goods_receipt,
    an_invoice,
    an_item,
    at_once,
    today,
)
from tests.support.finance_builders import money, refused


@pytest.fixture(scope="module")
def desk(office):
    return Desk(office)


def entry(office, claim_id, kind):
    return {
        account: (debit, credit)
        for account, debit, credit in office.rows(
            "select l.account, l.debit_fen, l.credit_fen from journal_entries e join journal_lines l"
            " on l.entry_id = e.id and l.booked_on = e.booked_on"
            " where e.source_id = cast(:id as uuid) and e.kind = :kind",
            id=claim_id,
            kind=kind,
        )
    }


@pytest.mark.requirement("F18", "F19", "F20")
def test_a_claim_is_reserved_audited_booked_and_paid(office, desk):
    branch = a_branch()
    travel = desk.budget(branch, 100_000)
    meals = desk.budget(branch, 100_000, category="entertainment")
    items = [
        an_item(),
        an_item(category="entertainment", amount=money(5_300), tax=money(300), attendees=["C-1"]),
    ]
    claim_id = desk.submitted(branch, *items)
    assert desk.counters(travel) == (10_000, 0)
    assert desk.counters(meals) == (5_300, 0)
    assert desk.manage(claim_id).json["state"] == "manager_approved"
    finding = {"no": 2, "outcome": "reduce", "accepted": money(2_650), "reason": "over the house's limit"}
    audited = desk.audit(claim_id, finding).json
    assert (audited["state"], audited["hit"], audited["accepted"]) == ("finance_audited", True, money(13_550))
    assert desk.counters(meals) == (2_650, 0)
    assert desk.approve(claim_id).json["state"] == "approved"
    assert desk.counters(travel) == (0, 10_000)
    assert desk.counters(meals) == (0, 2_650)
    assert entry(office, claim_id, "expense_approved") == {
        "6601.01": (10_000, 0),
        "6601.02": (2_650, 0),
        "2221.01.02": (900, 0),
        "2241.02": (0, 13_550),
    }
    paid = desk.pay(claim_id).json
    assert (paid["state"], paid["paid_from"], paid["paid_on"]) == ("paid", "bank", str(today()))
    assert entry(office, claim_id, "expense_paid") == {"2241.02": (13_550, 0), "1002": (0, 13_550)}
    told = office.rows(
        "select type, version, amount_fen from outbox where subject = :id order by version", id=claim_id
    )
    assert told == [
        ("finance.expense.audited.v1", 1, 13_550),
        ("finance.expense.approved.v1", 2, 13_550),
        ("finance.expense.paid.v1", 3, 13_550),
    ]
    actions = [
        row[0] for row in office.rows("select action from audit where subject = :id order by id", id=claim_id)
    ]
    assert actions == [
        "expense.draft",
        "expense.submitted",
        "expense.manager_approved",
        "expense.finance_audited",
        "expense.approved",
        "expense.paid",
    ]


@pytest.mark.requirement("F23")
def test_after_sales_cost_has_an_account_of_its_own(office, desk):
    branch = a_branch()
    desk.budget(branch, 100_000, category="after_sales")
    claim_id = desk.approved(branch, an_item(category="after_sales", tax=money(0)))
    assert entry(office, claim_id, "expense_approved") == {"6601.03": (10_900, 0), "2241.02": (0, 10_900)}


@pytest.mark.requirement("F4", "F18")
def test_a_claim_paid_in_cash_leaves_the_safe_which_must_hold_it(office, desk):
    branch = a_branch()
    desk.budget(branch, 100_000)
    claim_id = desk.approved(branch)
    fill = {"branch_id": branch, "kind": "bank_withdrawal", "amount": money(10_899)}
    assert office.post("/v1/safe-movements", fill, role="cashier").status_code == 201
    refused(desk.pay(claim_id, paid_from="cash_on_hand"), 409, "cash_safe_short")
    fill["amount"] = money(1)
    assert office.post("/v1/safe-movements", fill, role="cashier").status_code == 201
    assert desk.pay(claim_id, paid_from="cash_on_hand").json["state"] == "paid"
    assert entry(office, claim_id, "expense_paid") == {"2241.02": (10_900, 0), "1001": (0, 10_900)}


@pytest.mark.requirement("F20")
def test_what_actual_budgets_say_is_what_the_ledger_says(office, desk):
    branch = a_branch()
    budget = desk.budget(branch, 100_000)
    for _ in range(3):
        desk.approved(branch)
    desk.submitted(branch)
    ledger = office.value(
        "select sum(debit_fen - credit_fen)::bigint from journal_lines where branch_id = :branch and account = '6601.01'",
        branch=branch,
    )
    assert desk.counters(budget) == (10_000, 30_000) == (10_000, ledger)


@pytest.mark.requirement("F5")
def test_what_a_branch_spent_in_a_month_is_told_by_account(office, desk):
    branch = a_branch()
    desk.budget(branch, 100_000)
    for _ in range(2):
        desk.approved(branch)
    told = office.get(f"/v1/branch-expenses?month={today():%Y-%m}&branch_id={branch}").json["items"]
    assert [(row["account"], row["zh"], row["amount"]) for row in told] == [
        ("6601.01", "销售费用-差旅费", money(20_000))
    ]


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.requirement("F20")
def test_what_no_budget_covers_is_refused_and_warned_of_at_the_draft(desk):
    claim = desk.draft(a_branch())
    assert [each["code"] for each in claim["warnings"]] == ["expense_unbudgeted"]
    told = refused(desk.submit(claim["claim_id"]), 409, "expense_unbudgeted")
    assert told["errors"][0]["path"] == "items.0"


@pytest.mark.requirement("F20")
def test_an_overrun_stops_where_the_budget_says_stop_and_is_warned_of(desk):
    branch = a_branch()
    budget = desk.budget(branch, 9_999)
    claim = desk.draft(branch)
    assert claim["warnings"] == [{"no": 1, "code": "budget_exceeded", "budget_id": budget}]
    told = refused(desk.submit(claim["claim_id"]), 409, "budget_exceeded")
    assert (told["available_fen"], told["needed_fen"]) == (9_999, 10_000)
    assert desk.counters(budget) == (0, 0)


@pytest.mark.requirement("F20")
def test_an_overrun_is_let_through_by_finance_head_and_management_together(office, desk):
    branch = a_branch()
    budget = desk.budget(branch, 4_000, overrun="approval")
    claim_id = desk.submitted(branch)
    assert office.get(f"/v1/expense-claims/{claim_id}").json["state"] == "awaiting_budget"
    assert desk.counters(budget) == (0, 0)
    refused(desk.manage(claim_id), 409, "expense_claim_not_ready")
    yes = {"decision": "approved"}
    desk.step(claim_id, "overrun/decisions", yes, role="finance_head")
    again = desk.step(claim_id, "overrun/decisions", yes, role="management", person="the-finance_head")
    refused(again, 403, "approval_same_person")
    done = desk.step(claim_id, "overrun/decisions", yes, role="management")
    assert done.json["state"] == "submitted"
    assert desk.counters(budget) == (10_000, 0)
    [(event, amount)] = office.rows(
        "select data, amount_fen from outbox where type = 'finance.budget.exceeded.v1' and subject = :id",
        id=budget,
    )
    assert (event["claim_id"], event["over_fen"], amount) == (claim_id, 6_000, 6_000)


@pytest.mark.requirement("F20")
def test_an_overrun_that_is_not_let_through_rejects_the_claim_and_frees_its_invoice(desk):
    branch = a_branch()
    budget = desk.budget(branch, 4_000, overrun="approval")
    item = an_item()
    claim_id = desk.submitted(branch, item)
    no = {"decision": "rejected", "reason": "not this year"}
    assert desk.step(claim_id, "overrun/decisions", no, role="management").json["state"] == "rejected"
    assert desk.counters(budget) == (0, 0)
    small = {**item, "amount": money(1_090), "tax": money(90)}
    desk.submitted(branch, small)
    assert desk.counters(budget) == (1_000, 0)


@pytest.mark.requirement("F19")
@pytest.mark.parametrize("stage", ["manager", "approval"])
def test_a_rejection_gives_budget_and_invoice_back_and_needs_a_reason(desk, stage):
    branch = a_branch()
    budget = desk.budget(branch, 10_000)
    item = an_item()
    if stage == "manager":
        claim_id, decide = desk.submitted(branch, item), desk.manage
    else:
        claim_id, decide = desk.audited(branch, item), desk.approve
    refused(decide(claim_id, approved=False), 422, "approval_reason_missing")
    assert decide(claim_id, approved=False, reason="not ours").json["state"] == "rejected"
    assert desk.counters(budget) == (0, 0)
    desk.submitted(branch, item)


@pytest.mark.requirement("F19")
def test_a_claim_of_which_the_audit_leaves_nothing_is_rejected(office, desk):
    branch = a_branch()
    budget = desk.budget(branch, 10_000)
    claim_id = desk.submitted(branch)
    desk.manage(claim_id)
    done = desk.audit(claim_id, {"no": 1, "outcome": "refuse", "reason": "a forged invoice"}).json
    assert (done["state"], done["accepted"], done["hit"]) == ("rejected", money(0), True)
    assert desk.counters(budget) == (0, 0)
    refused(desk.approve(claim_id), 409, "expense_claim_not_ready")


@pytest.mark.requirement("F19")
def test_audit_figures_count_what_was_reduced_or_refused(office, desk):
    branch = a_branch()
    desk.budget(branch, 100_000)
    desk.audited(branch)
    desk.audited(
        branch, findings=[{"no": 1, "outcome": "reduce", "accepted": money(9_900), "reason": "taxi"}]
    )
    month = f"{today():%Y-%m}"
    figures = office.get(f"/v1/audit-figures?month={month}&branch_id={branch}", role="finance_head").json
    assert figures == {
        "audited": 2,
        "hits": 1,
        "hit_rate_bp": 5_000,
        "claimed": money(21_800),
        "accepted": money(20_800),
        "taken_off": money(1_000),
    }


@pytest.mark.requirement("F19", "X1")
def test_nobody_judges_or_pays_their_own_claim_and_nobody_judges_twice(desk):
    branch = a_branch()
    desk.budget(branch, 100_000)
    claim_id = desk.submitted(branch)
    refused(desk.manage(claim_id, person="sally"), 403, "approval_same_person")
    desk.manage(claim_id, person="mary")
    refused(desk.audit(claim_id, person="mary"), 403, "approval_same_person")
    refused(desk.audit(claim_id, person="sally"), 403, "approval_same_person")
    desk.audit(claim_id, person="anna")
    refused(desk.approve(claim_id, person="anna"), 403, "approval_same_person")
    refused(desk.approve(claim_id, person="sally"), 403, "approval_same_person")
    desk.approve(claim_id, person="fred", role="management")
    for person in ("sally", "mary", "anna", "fred"):
        refused(desk.pay(claim_id, person=person), 403, "approval_same_person")
    assert desk.pay(claim_id, person="carl").json["state"] == "paid"


@pytest.mark.requirement("X1")
def test_a_cashier_is_no_auditor_and_no_step_is_skipped(office, desk):
    branch = a_branch()
    desk.budget(branch, 100_000)
    claim_id = desk.submitted(branch)
    refused(desk.step(claim_id, "audit", {}, role="cashier"), 403, "role_not_admitted")
    refused(
        desk.step(claim_id, "pay", {"paid_from": "bank"}, role="finance_auditor"), 403, "role_not_admitted"
    )
    refused(desk.audit(claim_id), 409, "expense_claim_not_ready")
    refused(desk.approve(claim_id), 409, "expense_claim_not_ready")
    refused(desk.pay(claim_id), 409, "expense_claim_not_ready")
    refused(desk.submit(claim_id), 409, "expense_claim_not_ready")


@pytest.mark.requirement("F19")
def test_a_draft_is_the_claimants_alone_and_may_be_revised_until_submitted(office, desk):
    branch = a_branch()
    desk.budget(branch, 100_000)
    claim_id = desk.draft(branch)["claim_id"]
    refused(desk.submit(claim_id, person="other"), 403, "expense_claim_not_yours")
    path = f"/v1/expense-claims/{claim_id}"
    assert office.get(path, role="salesperson", person="other").json["code"] == "expense_claim_not_found"
    headers = office.headers("salesperson", person="sally") | {"Idempotency-Key": uuid4().hex}
    body = a_claim(branch, an_item(amount=money(2_000), tax=money(0)))
    revised = office.app.test_client().put(path, json=body, headers=headers)
    assert (revised.status_code, revised.json["claimed"]) == (200, money(2_000))
    desk.submit(claim_id)
    late = office.app.test_client().put(path, json=body, headers=headers | {"Idempotency-Key": uuid4().hex})
    refused(late, 409, "expense_claim_not_ready")


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"spent_on": str(today() + timedelta(days=2))}, "expense_in_future"),
        ({"spent_on": str(today() - timedelta(days=400))}, "expense_too_old"),
        ({"category": "gold"}, "expense_category_unknown"),
        ({"category": "entertainment"}, "expense_attendees_missing"),
        ({"tax": money(10_900)}, "expense_tax_too_large"),
        ({"tax": money(9_000)}, "expense_tax_too_large"),
        ({"category": "entertainment", "attendees": ["the-salesperson"]}, "expense_attendees_missing"),
        ({"category": "rent"}, "expense_category_unknown"),
    ],
)
@pytest.mark.requirement("F18")
def test_a_draft_names_what_is_wrong_with_it(office, item, code):
    answer = office.post("/v1/expense-claims", a_claim(a_branch(), an_item(**item)), role="salesperson")
    assert refused(answer, 422, code)["errors"][0]["path"].startswith("items.0.")


@pytest.mark.requirement("F19")
def test_an_invoice_is_claimed_once_in_the_whole_company(office, desk):
    branch, other = a_branch(), a_branch()
    for each in (branch, other):
        desk.budget(each, 100_000)
    item = an_item()
    desk.submitted(branch, item)
    second = desk.draft(other, item, person="peter")
    assert [each["code"] for each in second["warnings"]] == ["expense_invoice_taken"]
    told = refused(desk.submit(second["claim_id"], person="peter"), 409, "expense_invoice_taken")
    assert told["errors"][0]["path"] == "items.0.invoice_no"
    zeros = desk.draft(other, {**item, "invoice_no": "00" + item["invoice_no"]}, person="peter")
    assert [each["code"] for each in zeros["warnings"]] == ["expense_invoice_taken"]
    refused(desk.submit(zeros["claim_id"], person="peter"), 409, "expense_invoice_taken")
    twice = office.post("/v1/expense-claims", a_claim(branch, item, item), role="salesperson")
    refused(twice, 422, "expense_invoice_repeated")


@pytest.mark.requirement("F19")
def test_an_invoice_is_either_claimed_or_purchased_and_named_with_its_code(office, desk):
    branch = a_branch()
    desk.budget(branch, 100_000)
    first, second = (f"24{uuid4().int % 10**18:018d}" for _ in range(2))
    desk.submitted(branch, an_item(invoice_no=first))
    purchase = a_goods_receipt(branch, invoice_no=first)
    refused(office.post("/v1/goods-receipts", purchase, role="accountant"), 409, "supplier_invoice_taken")
    purchase = a_goods_receipt(branch, invoice_no=second, received_on=str(today()))
    assert office.post("/v1/goods-receipts", purchase, role="accountant").status_code == 201
    other = {**purchase, "supplier_id": "SUP-2"}
    refused(office.post("/v1/goods-receipts", other, role="accountant"), 409, "supplier_invoice_taken")
    claim = desk.draft(branch, an_item(invoice_no=second))
    refused(desk.submit(claim["claim_id"]), 409, "expense_invoice_taken")
    bare = a_claim(branch, an_item(invoice_no="0012345678"))
    told = office.post("/v1/expense-claims", bare, role="salesperson")
    refused(told, 422, "expense_invoice_code_missing")


@pytest.mark.requirement("X1")
def test_a_branch_that_the_token_does_not_cover_is_foreign(office, desk):
    branch = a_branch()
    desk.budget(branch, 100_000)
    claim_id = desk.submitted(branch)
    where = {"role": "store_manager", "branches": ["OTHER"]}
    answer = office.post(f"/v1/expense-claims/{claim_id}/decisions", {"decision": "approved"}, **where)
    refused(answer, 403, "foreign_branch")
    assert office.get(f"/v1/expense-claims/{claim_id}", **where).status_code == 404
    assert office.get(f"/v1/expense-claims?branch_id={branch}", **where).json["code"] == "foreign_branch"
    refused(office.post("/v1/expense-claims", a_claim(branch), **where), 403, "foreign_branch")


def test_staff_see_their_own_claims_and_managers_those_of_the_branch(office, desk):
    branch = a_branch()
    mine = desk.draft(branch, person="nora")["claim_id"]
    other = desk.draft(branch, person="olga")["claim_id"]
    own = office.get("/v1/expense-claims", role="salesperson", person="nora").json["items"]
    assert [each["claim_id"] for each in own] == [mine]
    all_of_it = office.get(f"/v1/expense-claims?branch_id={branch}&limit=1", role="store_manager").json
    rest = office.get(
        f"/v1/expense-claims?branch_id={branch}&cursor={all_of_it['next_cursor']}", role="store_manager"
    ).json
    assert [each["claim_id"] for each in all_of_it["items"] + rest["items"]] == [mine, other]


# --- budgets ----------------------------------------------------------------------------------------


@pytest.mark.requirement("F20")
def test_a_department_draws_on_its_own_budget_before_that_of_the_branch(desk):
    branch = a_branch()
    whole = desk.budget(branch, 100_000)
    own = desk.budget(branch, 10_000, department="wholesale")
    desk.submitted(branch, department="wholesale")
    desk.submitted(branch, department="retail")
    assert (desk.counters(own), desk.counters(whole)) == ((10_000, 0), (10_000, 0))


@pytest.mark.requirement("F20")
def test_budgets_of_one_dimension_never_overlap_and_never_fall_below_their_use(office, desk):
    branch = a_branch()
    budget = desk.budget(branch, 20_000)
    body = {
        "branch_id": branch,
        "category": "travel",
        "from": str(today()),
        "until": str(today()),
        "amount": money(1),
    }
    refused(office.post("/v1/budgets", body, role="finance_head"), 409, "budget_overlaps")
    backwards = {**body, "until": str(today() - timedelta(days=1))}
    refused(office.post("/v1/budgets", backwards, role="finance_head"), 422, "budget_dimension_invalid")
    unknown = {**body, "category": "gold"}
    refused(office.post("/v1/budgets", unknown, role="finance_head"), 422, "budget_dimension_invalid")
    desk.submitted(branch)
    change = {"amount": money(9_999), "overrun": "stop"}
    refused(office.post(f"/v1/budgets/{budget}/change", change, role="finance_head"), 409, "budget_below_use")
    change = {"amount": money(10_000), "overrun": "approval"}
    assert office.post(f"/v1/budgets/{budget}/change", change, role="finance_head").json[
        "available"
    ] == money(0)
    listed = office.get(f"/v1/budgets?branch_id={branch}&day={today()}", role="finance_head").json["items"]
    assert [each["budget_id"] for each in listed] == [budget]
    nowhere = office.post(f"/v1/budgets/{uuid4()}/change", change, role="finance_head")
    refused(nowhere, 404, "budget_not_found")


def test_the_categories_of_today_are_told_with_their_accounts(office):
    items = {each["category"]: each for each in office.get("/v1/expense-categories").json["items"]}
    assert items["entertainment"]["attendees"]
    assert not items["entertainment"]["deducts_input_vat"]
    assert items["after_sales"]["account"] == "selling_after_sales"


# --- at once ----------------------------------------------------------------------------------------


@pytest.mark.requirement("F20")
def test_claims_submitted_at_once_never_reserve_more_than_the_budget(desk):
    branch = a_branch()
    budget = desk.budget(branch, 35_000)
    drafts = [desk.draft(branch, person=f"p{no}")["claim_id"] for no in range(8)]
    answers = at_once(
        [lambda id_=id_, no=no: desk.submit(id_, person=f"p{no}") for no, id_ in enumerate(drafts)]
    )
    codes = sorted(answer.json.get("code", "ok") for answer in answers)
    assert codes == ["budget_exceeded"] * 5 + ["ok"] * 3
    assert desk.counters(budget) == (30_000, 0)


@pytest.mark.requirement("F19")
def test_one_invoice_claimed_at_once_by_many_is_held_by_one(desk):
    branch = a_branch()
    budget = desk.budget(branch, 1_000_000)
    shared = [an_item(invoice_no=an_invoice()) for _ in range(2)]
    drafts = [
        desk.draft(branch, *(shared if no % 2 else reversed(shared)), person=f"q{no}")["claim_id"]
        for no in range(8)
    ]
    answers = at_once(
        [lambda id_=id_, no=no: desk.submit(id_, person=f"q{no}") for no, id_ in enumerate(drafts)]
    )
    codes = sorted(answer.json.get("code", "ok") for answer in answers)
    assert codes == ["expense_invoice_taken"] * 7 + ["ok"]
    assert desk.counters(budget) == (20_000, 0)


@pytest.mark.requirement("F19")
def test_a_claim_approved_at_once_by_two_is_booked_once(office, desk):
    branch = a_branch()
    budget = desk.budget(branch, 100_000)
    claim_id = desk.audited(branch)
    answers = at_once(
        [
            lambda: desk.approve(claim_id, role="finance_head"),
            lambda: desk.approve(claim_id, role="management"),
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    entries = office.value(
        "select count(*) from journal_entries where source_id = cast(:id as uuid)", id=claim_id
    )
    assert (entries, desk.counters(budget)) == (1, (0, 10_000))


@pytest.mark.requirement("F20")
def test_two_budgets_opened_at_once_for_the_same_days_are_one(office):
    branch = a_branch()
    bodies = [
        {
            "branch_id": branch,
            "category": "travel",
            "from": str(today() - timedelta(days=days)),
            "until": str(today()),
            "amount": money(100),
        }
        for days in range(4)
    ]
    answers = at_once([lambda b=body: office.post("/v1/budgets", b, role="finance_head") for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
