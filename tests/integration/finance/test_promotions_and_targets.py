"""Campaigns draw on their budget and show what they brought; targets stand beside what was sold."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.support.expenses_builders import Desk, a_branch, an_item, at_once, today
from tests.support.finance_builders import a_line, a_receipt, money, refused


@pytest.fixture(scope="module")
def desk(office):
    return Desk(office)


def a_plan(branch, **odd):
    return {
        "code": f"C-{uuid4().hex[:10].upper()}",
        "branch_id": branch,
        "from": str(today() - timedelta(days=10)),
        "until": str(today() + timedelta(days=10)),
        "baseline_net": money(100_000),
        "baseline_margin": money(1_000),
        "uplift_bp": 2_500,
        "budget": money(10_000),
        **odd,
    }


def propose(office, branch, **odd):
    answer = office.post("/v1/promotion-plans", a_plan(branch, **odd), role="accountant")
    assert answer.status_code == 201, answer.json
    return answer.json


def decide(office, plan_id, role, *, approved=True, reason=None, person=None):
    body = {"decision": "approved" if approved else "rejected", "reason": reason}
    return office.post(f"/v1/promotion-plans/{plan_id}/decisions", body, role=role, person=person)


def approved_plan(office, branch, **odd):
    plan = propose(office, branch, **odd)
    for role in ("finance_head", "cs_manager"):
        assert decide(office, plan["plan_id"], role).status_code == 200
    return office.get(f"/v1/promotion-plans/{plan['plan_id']}").json


def draw(office, plan, fen, **odd):
    """An offer of the customers service asks for money of a plan; finance's answer as (fact, data)."""
    offer = {
        "offer_id": str(uuid4()),
        "plan_id": plan["plan_id"],
        "branch_id": plan["branch_id"],
        "first_day": plan["from"],
        "last_day": plan["until"],
        "cost_fen": fen,
        **odd,
    }
    office.hear(office.envelope("customers.offer.proposed.v1", offer))
    [(kind, data)] = office.rows(
        "select type, data from outbox where subject = :offer", offer=offer["offer_id"]
    )
    return kind.split(".")[2], data


def drawn(office, plan, fen):
    fact, data = draw(office, plan, fen)
    assert fact == "granted", data
    return data


def not_drawn(office, plan, fen, code, **odd):
    fact, data = draw(office, plan, fen, **odd)
    assert (fact, data["code"]) == ("refused", code)


def settle(office, drawing, fen):
    """The offer is over and tells what it cost. Returns how many events were parked."""
    ended = {"plan_id": drawing["plan_id"], "drawing_id": drawing["drawing_id"], "used_fen": fen}
    return office.hear(office.envelope("customers.offer.ended.v1", ended)).parked


@pytest.mark.requirement("F6")
def test_finance_forecasts_two_approve_and_then_offers_draw(office, desk):
    plan = propose(office, a_branch())
    assert (plan["state"], plan["forecast_net"], plan["budget_id"]) == ("proposed", money(125_000), None)
    not_drawn(office, plan, 1, "promotion_plan_not_ready")
    decide(office, plan["plan_id"], "finance_head")
    not_drawn(office, plan, 1, "promotion_plan_not_ready")
    budget = decide(office, plan["plan_id"], "cs_manager").json["budget_id"]
    drawing = drawn(office, plan, 4_000)
    assert (drawing["drawn_fen"], drawing["branch_id"]) == (4_000, plan["branch_id"])
    not_drawn(office, plan, 6_001, "budget_exceeded")
    assert desk.counters(budget) == (4_000, 0), "a refused offer reserves nothing"
    assert settle(office, drawing, 4_001) == 1, "more than was drawn is parked, not booked"
    assert settle(office, drawing, 3_000) == 0
    assert desk.counters(budget) == (0, 3_000)
    assert settle(office, drawing, 0) == 1, "a drawing is settled once"
    [shown] = office.get(f"/v1/promotion-plans/{plan['plan_id']}").json["drawings"]
    assert (shown["offer_id"], shown["used"]) == (drawing["offer_id"], money(3_000))


@pytest.mark.requirement("F6", "F20")
def test_an_agencys_bill_is_a_voucher_that_the_plan_pays(office, desk):
    branch = a_branch()
    plan = approved_plan(office, branch)
    body = {
        "booked_on": str(today()),
        "branch_id": branch,
        "summary": "广告费",
        "campaign": plan["code"],
        "lines": [{"account": "6601.04", "debit": money(9_000)}, {"account": "2202", "credit": money(9_000)}],
    }
    drafts = [office.post("/v1/vouchers", body, role="accountant").json for _ in range(2)]
    paths = [f"/v1/vouchers/{draft['voucher_id']}/decisions" for draft in drafts]
    assert office.post(paths[0], {"decision": "approved"}, role="finance_head").status_code == 200
    assert desk.counters(plan["budget_id"]) == (0, 9_000)
    assert office.get(f"/v1/promotion-plans/{plan['plan_id']}").json["spent"] == money(9_000)
    refused(office.post(paths[1], {"decision": "approved"}, role="finance_head"), 409, "budget_exceeded")
    nowhere = office.post("/v1/vouchers", {**body, "campaign": "NO-SUCH"}, role="accountant").json
    shown = office.get(f"/v1/vouchers/{nowhere['voucher_id']}").json
    assert [each["code"] for each in shown["warnings"]] == ["expense_unbudgeted"]
    assert office.get(f"/v1/vouchers?waits_for=overrun&branch_id={branch}").json["items"] == []
    path = f"/v1/vouchers/{nowhere['voucher_id']}/decisions"
    refused(office.post(path, {"decision": "approved"}, role="finance_head"), 409, "expense_unbudgeted")


@pytest.mark.requirement("F6", "F20")
def test_a_plans_budget_stays_as_approved_and_pays_for_nothing_once_the_plan_is_closed(office, desk):
    branch = a_branch()
    yesterday = str(today() - timedelta(days=1))
    plan = approved_plan(office, branch, until=yesterday)
    more = {"amount": money(99_999), "overrun": "approval"}
    refused(
        office.post(f"/v1/budgets/{plan['budget_id']}/change", more, role="finance_head"),
        409,
        "budget_of_plan",
    )
    late = desk.draft(branch, an_item(spent_on=yesterday), campaign=plan["code"])
    assert late["warnings"] == []
    closed = office.post(f"/v1/promotion-plans/{plan['plan_id']}/close", role="accountant")
    assert (closed.status_code, closed.json["spent"]) == (200, money(0))
    refused(desk.submit(late["claim_id"]), 409, "expense_unbudgeted")
    warned = office.get(f"/v1/expense-claims/{late['claim_id']}").json["warnings"]
    assert [each["code"] for each in warned] == ["expense_unbudgeted"]


@pytest.mark.requirement("F6")
def test_an_offer_draws_on_a_plan_of_its_branch_and_of_its_days(office):
    plan = approved_plan(office, a_branch())
    not_drawn(office, plan, 1, "promotion_offer_outside_plan", branch_id=a_branch())
    not_drawn(office, plan, 1, "promotion_offer_outside_plan", last_day=str(today() + timedelta(days=11)))
    not_drawn(office, plan, 1, "promotion_offer_outside_plan", first_day=str(today() - timedelta(days=11)))
    not_drawn(office, plan, 1, "promotion_plan_not_found", plan_id=str(uuid4()))


@pytest.mark.requirement("F6")
def test_a_plan_is_not_approved_by_who_prepared_it_nor_by_one_alone(office):
    plan = propose(office, a_branch())
    refused(
        decide(office, plan["plan_id"], "finance_head", person="the-accountant"), 403, "approval_same_person"
    )
    decide(office, plan["plan_id"], "finance_head", person="fay")
    refused(decide(office, plan["plan_id"], "cs_manager", person="fay"), 403, "approval_same_person")
    answer = decide(office, plan["plan_id"], "cs_manager", approved=False, reason="nobody wants it")
    assert answer.json["state"] == "rejected"
    refused(decide(office, plan["plan_id"], "finance_head"), 409, "promotion_plan_not_ready")


@pytest.mark.requirement("F6")
def test_a_code_is_used_once_and_days_run_forward(office):
    branch = a_branch()
    code = propose(office, branch)["code"]
    again = office.post("/v1/promotion-plans", a_plan(branch, code=code), role="finance_head")
    refused(again, 409, "promotion_code_taken")
    backwards = a_plan(branch, until=str(today() - timedelta(days=11)))
    refused(office.post("/v1/promotion-plans", backwards, role="accountant"), 422, "promotion_days_invalid")


@pytest.mark.requirement("F6", "F20")
def test_a_claim_for_a_campaign_draws_on_the_plan(office, desk):
    branch = a_branch()
    plan = approved_plan(office, branch)
    desk.submitted(
        branch, an_item(category="promotion", amount=money(9_000), tax=money(0)), campaign=plan["code"]
    )
    assert desk.counters(plan["budget_id"]) == (9_000, 0)
    not_drawn(office, plan, 1_001, "budget_exceeded")


@pytest.mark.requirement("F6")
def test_a_finished_plan_shows_what_it_brought_for_what_it_cost(office):
    """Two sales of 34.51 net at 23.00 cost each: 23.02 margin, 10.00 above the baseline's 13.02; 5.00 spent."""
    branch = a_branch()
    for day in ("02", "03"):
        office.sell(branch_id=branch, sold_at=f"2026-03-{day}T02:00:00Z")
    office.sell(
        branch_id=branch, sold_at="2026-03-03T02:00:00Z", lines=[a_line(product={"product_id": "P-2"})]
    )
    plan = approved_plan(
        office,
        branch,
        until=str(today()),
        **{"from": "2026-03-01"},
        products=["P-1"],
        baseline_margin=money(1_302),
    )
    drawing = drawn(office, plan, 500)
    refused(
        office.post(f"/v1/promotion-plans/{plan['plan_id']}/close", role="accountant"),
        409,
        "promotion_plan_not_ready",
    )
    assert settle(office, drawing, 500) == 0
    shown = office.get(f"/v1/promotion-plans/{plan['plan_id']}").json
    assert (shown["net"], shown["margin"], shown["spent"]) == (money(6_902), money(2_302), money(500))
    assert shown["roi_bp"] == 10_000


@pytest.mark.requirement("F6")
def test_a_plan_that_is_over_closes_with_its_result_frozen(office):
    branch = a_branch()
    office.sell(branch_id=branch)
    plan = approved_plan(office, branch, until="2026-03-31", **{"from": "2026-03-01"})
    not_drawn(office, plan, 1, "promotion_plan_not_ready")
    closed = office.post(f"/v1/promotion-plans/{plan['plan_id']}/close", role="finance_head").json
    assert (closed["state"], closed["net"], closed["roi_bp"]) == ("closed", money(3_451), None)
    office.sell(branch_id=branch)
    assert office.get(f"/v1/promotion-plans/{plan['plan_id']}").json["net"] == money(3_451)
    listed = office.get(f"/v1/promotion-plans?branch_id={branch}&state=closed").json["items"]
    assert [each["plan_id"] for each in listed] == [plan["plan_id"]]


@pytest.mark.requirement("F6")
def test_offers_drawing_at_once_never_take_more_than_the_plan_has(office, desk):
    plan = approved_plan(office, a_branch())
    answers = at_once([lambda: draw(office, plan, 3_000) for _ in range(8)])
    assert sorted(fact for fact, _ in answers) == ["granted"] * 3 + ["refused"] * 5
    assert desk.counters(plan["budget_id"]) == (9_000, 0)


# --- targets ----------------------------------------------------------------------------------------


def a_target(branch, **odd):
    return {
        "branch_id": branch,
        "month": "2026-03",
        "net": money(10_000),
        "strategy": "regulars first",
        **odd,
    }


@pytest.mark.requirement("F7", "F29")
def test_targets_of_branch_person_and_channel_stand_beside_what_was_posted(office):
    branch = a_branch()
    for odd in ({}, {"person": "the-till"}, {"person": "nobody"}, {"channel": "online"}):
        answer = office.post("/v1/sales-targets", a_target(branch, **odd), role="store_manager")
        assert answer.status_code == 201, answer.json
    office.sell(branch_id=branch)
    office.sell(branch_id=branch, channel="online")
    told = office.get(f"/v1/target-comparisons?branch_id={branch}&month=2026-03", role="salesperson").json
    reached = {
        (row["person"], row["channel"]): (row["actual"]["fen"], row["reached_bp"]) for row in told["targets"]
    }
    assert reached == {
        ("", ""): (6_902, 6_902),
        ("", "online"): (3_451, 3_451),
        ("nobody", ""): (0, 0),
        ("the-till", ""): (6_902, 6_902),
    }


@pytest.mark.requirement("F7")
def test_the_annual_plan_is_the_targets_of_its_months_and_may_be_changed(office):
    branch = a_branch()
    target_id = office.post("/v1/sales-targets", a_target(branch), role="management").json["target_id"]
    office.post("/v1/sales-targets", a_target(branch, month="2026-04", net=money(5_000)), role="management")
    office.post("/v1/sales-targets", a_target(branch, person="sally", net=money(1)), role="management")
    refused(office.post("/v1/sales-targets", a_target(branch), role="management"), 409, "sales_target_exists")
    change = {"net": money(20_000), "strategy": "more"}
    office.post(f"/v1/sales-targets/{target_id}/change", change, role="business_head")
    plan = office.get(f"/v1/sales-targets?branch_id={branch}&year=2026").json
    assert plan["net"] == money(25_000)
    assert [(row["month"], row["person"], row["version"]) for row in plan["items"]] == [
        ("2026-03", "", 2),
        ("2026-03", "sally", 1),
        ("2026-04", "", 1),
    ]
    told = office.rows(
        "select data from outbox where type = 'finance.sales_target.set.v1' and data ->> 'branch_id' = :branch order by id",
        branch=branch,
    )
    assert [
        (row[0]["month"], row[0]["staff_id"], row[0]["target_version"], row[0]["net_fen"]) for row in told
    ] == [
        ("2026-03", None, 1, 10_000),
        ("2026-04", None, 1, 5_000),
        ("2026-03", "sally", 1, 1),
        ("2026-03", None, 2, 20_000),
    ]
    nowhere = office.post(f"/v1/sales-targets/{uuid4()}/change", change, role="management")
    refused(nowhere, 404, "sales_target_not_found")


@pytest.mark.requirement("F29")
def test_staff_report_their_day_once_and_it_is_kept_beside_what_was_posted(office):
    branch = a_branch()
    person = {"role": "cashier", "person": "cora"}
    now = f"{today()}T00:00:01+08:00"
    office.post("/v1/sales", receipt_of(branch, now), **person)
    body = {"branch_id": branch, "day": str(today()), "net": money(3_500), "visits": 4}
    assert office.post("/v1/sales-reports", body, **person).status_code == 201
    refused(office.post("/v1/sales-reports", body, **person), 409, "sales_report_exists")
    late = {**body, "day": str(today() - timedelta(days=5))}
    assert office.post("/v1/sales-reports", late, **person).status_code == 201
    for day in (today() + timedelta(days=1), today() - timedelta(days=32)):
        refused(
            office.post("/v1/sales-reports", {**body, "day": str(day)}, **person),
            422,
            "sales_report_day_invalid",
        )
    rows = office.rows(
        "select reported_fen, posted_fen, visits, on_time from sales_reports where branch_id = :b order by day desc",
        b=branch,
    )
    assert rows == [(3_500, 3_451, 4, True), (3_500, 0, 4, False)]


def receipt_of(branch, sold_at):
    return a_receipt(branch_id=branch, sold_at=sold_at)


@pytest.mark.requirement("F28")
def test_a_customer_relations_project_shows_cost_benefit_and_return(office):
    project = f"CRM-{uuid4().hex[:8].upper()}"
    for kind, fen in (
        ("development", 60_000),
        ("running", 40_000),
        ("gain", 90_000),
        ("saving", 40_000),
        ("gain", -10_000),
    ):
        body = {"project": project, "month": "2026-03", "kind": kind, "amount": money(fen), "basis": "ledger"}
        assert office.post("/v1/crm-records", body, role="accountant").status_code == 201
    told = office.get(f"/v1/crm-projects/{project}").json
    assert (told["cost"], told["benefit"], told["roi_bp"]) == (money(100_000), money(120_000), 2_000)
    assert len(told["items"]) == 5
