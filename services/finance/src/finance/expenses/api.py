"""HTTP of expenses: claims, budgets, promotion plans, sales targets, customer relations projects."""

from typing import Any
from uuid import UUID

from finance.budgets.rules import categories_on
from finance.expenses import queries, rules, schemas
from finance.expenses.commands import budgets, claims, promotions, targets
from finance.kernel.period import parse_month
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

expenses = Blueprint("expenses", __name__, description="Claims, budgets, promotion plans, sales targets.")

STAFF = (
    "salesperson",
    "invoicing_clerk",
    "receiver",
    "inspector",
    "storekeeper",
    "business_head",
    "qa",
    "cs_agent",
    "cs_manager",
    "pharmacist",
    "cashier",
    "accountant",
    "finance_auditor",
    "finance_head",
    "store_manager",
    "purchaser",
    "management",
    "unit_head",
)
BUDGET_READERS = (*sorted(claims.MANAGERS), "accountant", "finance_auditor", "finance_head", "management")


@expenses.get("/expense-categories")
@query
@admits(*STAFF)
@expenses.response(200, schemas.ExpenseCategoriesView)
def list_categories(tx: Tx) -> dict[str, Any]:
    """What expenses are today, with the account of each category; staff claim those that are `claimable`."""
    return {"items": list(categories_on(business_date(tx.now)).values())}


@expenses.post("/expense-claims")
@command
@admits(*STAFF)
@expenses.arguments(schemas.ExpenseClaimBody)
@expenses.response(201, schemas.ExpenseClaimView)
def draft_claim(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Draft a claim of one's own; `warnings` say what would stand in its way."""
    return queries.claim(tx, claims.draft(tx, body))


@expenses.get("/expense-claims")
@query
@admits(*STAFF)
@expenses.arguments(schemas.ClaimsArgs, location="query")
@expenses.response(200, schemas.ExpenseClaimsPage)
def list_claims(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Claims of the branches of those who judge claims; of others, their own."""
    return queries.claims(tx, args)


@expenses.get("/audit-figures")
@query
@admits(*BUDGET_READERS)
@expenses.arguments(schemas.FiguresArgs, location="query")
@expenses.response(200, schemas.AuditFiguresView)
def get_audit_figures(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """How many claims finance audited in a month, and how many it reduced or refused."""
    return queries.audit_figures(tx, parse_month(args["month"]), args["branch_id"])


@expenses.get("/expense-claims/<uuid:claim_id>")
@query
@admits(*STAFF)
@expenses.response(200, schemas.ExpenseClaimView)
def get_claim(tx: Tx, claim_id: UUID) -> dict[str, Any]:
    """One claim."""
    return queries.claim(tx, claim_id)


@expenses.put("/expense-claims/<uuid:claim_id>")
@command
@admits(*STAFF)
@expenses.arguments(schemas.ExpenseClaimBody)
@expenses.response(200, schemas.ExpenseClaimView)
def revise_claim(tx: Tx, body: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Replace what a draft says."""
    claims.revise(tx, claim_id, body)
    return queries.claim(tx, claim_id)


@expenses.post("/expense-claims/<uuid:claim_id>/submit")
@command
@admits(*STAFF)
@expenses.response(200, schemas.ExpenseClaimView)
def submit_claim(tx: Tx, claim_id: UUID) -> dict[str, Any]:
    """Submit: invoices are taken and budget is reserved, or the overrun waits for its approval."""
    claims.submit(tx, claim_id)
    return queries.claim(tx, claim_id)


@expenses.post("/expense-claims/<uuid:claim_id>/overrun/decisions")
@command
@admits("finance_head", "management")
@expenses.arguments(DecisionBody)
@expenses.response(200, schemas.ExpenseClaimView)
def decide_overrun(tx: Tx, body: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Let the claim exceed its budget: finance head and management, two persons."""
    claims.decide_overrun(tx, claim_id, **body)
    return queries.claim(tx, claim_id)


@expenses.post("/expense-claims/<uuid:claim_id>/decisions")
@command
@admits(*sorted(claims.MANAGERS | claims.APPROVERS))
@expenses.arguments(DecisionBody)
@expenses.response(200, schemas.ExpenseClaimView)
def decide_claim(tx: Tx, body: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Of what was submitted a manager decides, of what was audited a head: then it is booked. Never of one's own."""
    claims.decide(tx, claim_id, **body)
    return queries.claim(tx, claim_id)


@expenses.post("/expense-claims/<uuid:claim_id>/audit")
@command
@admits("finance_auditor")
@expenses.arguments(schemas.ClaimAuditBody)
@expenses.response(200, schemas.ExpenseClaimView)
def audit_claim(tx: Tx, body: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Finance's audit of reasonableness and authenticity, item by item."""
    findings = [
        rules.Finding(
            no=row["no"],
            outcome=rules.Outcome(row["outcome"]),
            accepted_fen=row["accepted"],
            reason=row["reason"],
        )
        for row in body["findings"]
    ]
    claims.audit_claim(tx, claim_id, findings)
    return queries.claim(tx, claim_id)


@expenses.post("/expense-claims/<uuid:claim_id>/pay")
@command
@admits("cashier")
@expenses.arguments(schemas.ExpensePaymentBody)
@expenses.response(200, schemas.ExpenseClaimView)
def pay_claim(tx: Tx, body: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Pay what was approved, by a person who had no part in it."""
    claims.pay(tx, claim_id, body["paid_from"])
    return queries.claim(tx, claim_id)


# --- budgets ----------------------------------------------------------------------------------------


@expenses.post("/budgets")
@command
@admits("finance_head")
@expenses.arguments(schemas.BudgetBody)
@expenses.response(201, schemas.BudgetDetailView)
def add_budget(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Set a budget; what has none may not be spent."""
    return queries.budget(tx, budgets.add(tx, body))


@expenses.get("/budgets")
@query
@admits(*BUDGET_READERS)
@expenses.arguments(schemas.BudgetsArgs, location="query")
@expenses.response(200, schemas.BudgetsPage)
def list_budgets(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Budgets with what is reserved, spent and left."""
    return queries.budgets(tx, args)


@expenses.get("/spendings")
@query
@admits(*BUDGET_READERS)
@expenses.arguments(schemas.FiguresArgs, location="query")
@expenses.response(200, schemas.SpendingView)
def get_spending(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What a month spent by branch and category as the ledger says, and what of it drew on no budget."""
    return {"items": queries.spending(tx, parse_month(args["month"]), args["branch_id"])}


@expenses.get("/budgets/<uuid:budget_id>")
@query
@admits(*BUDGET_READERS)
@expenses.response(200, schemas.BudgetDetailView)
def get_budget(tx: Tx, budget_id: UUID) -> dict[str, Any]:
    """One budget and its newest movements."""
    return queries.budget(tx, budget_id)


@expenses.post("/budgets/<uuid:budget_id>/change")
@command
@admits("finance_head")
@expenses.arguments(schemas.BudgetChangeBody)
@expenses.response(200, schemas.BudgetDetailView)
def change_budget(tx: Tx, body: dict[str, Any], budget_id: UUID) -> dict[str, Any]:
    """A new amount, or another answer to an overrun."""
    budgets.change(tx, budget_id, body["amount"], body["overrun"])
    return queries.budget(tx, budget_id)


# --- promotion plans --------------------------------------------------------------------------------


@expenses.post("/promotion-plans")
@command
@admits("accountant", "finance_head")
@expenses.arguments(schemas.PromotionPlanBody)
@expenses.response(201, schemas.PromotionPlanView)
def propose_plan(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Finance's sales forecast and budget for a campaign."""
    return queries.plan(tx, promotions.propose(tx, body))


@expenses.get("/promotion-plans")
@query
@admits(*BUDGET_READERS, "cs_agent")
@expenses.arguments(schemas.PlansArgs, location="query")
@expenses.response(200, schemas.PromotionPlansPage)
def list_plans(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Plans; of closed ones the frozen result."""
    return queries.plans(tx, args)


@expenses.get("/promotion-plans/<uuid:plan_id>")
@query
@admits(*BUDGET_READERS, "cs_agent")
@expenses.response(200, schemas.PromotionPlanView)
def get_plan(tx: Tx, plan_id: UUID) -> dict[str, Any]:
    """One plan, its drawings, and what it has brought."""
    return queries.plan(tx, plan_id)


@expenses.post("/promotion-plans/<uuid:plan_id>/decisions")
@command
@admits("finance_head", "cs_manager")
@expenses.arguments(DecisionBody)
@expenses.response(200, schemas.PromotionPlanView)
def decide_plan(tx: Tx, body: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """Finance head and customer service manager approve; then offers of the customers service may draw."""
    promotions.decide(tx, plan_id, **body)
    return queries.plan(tx, plan_id)


@expenses.post("/promotion-plans/<uuid:plan_id>/close")
@command
@admits("accountant", "finance_head")
@expenses.response(200, schemas.PromotionPlanView)
def close_plan(tx: Tx, plan_id: UUID) -> dict[str, Any]:
    """Freeze the result of a plan that is over."""
    promotions.close(tx, plan_id)
    return queries.plan(tx, plan_id)


# --- targets ----------------------------------------------------------------------------------------


@expenses.post("/sales-targets")
@command
@admits("business_head", "store_manager", "management")
@expenses.arguments(schemas.SalesTargetBody)
@expenses.response(201, schemas.SalesTargetIdView)
def set_target(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Set the target of a branch, person or channel for a month."""
    return {"target_id": targets.set_target(tx, body, parse_month(body["month"]))}


@expenses.post("/sales-targets/<uuid:target_id>/change")
@command
@admits("business_head", "store_manager", "management")
@expenses.arguments(schemas.SalesTargetChangeBody)
@expenses.response(200, schemas.SalesTargetIdView)
def change_target(tx: Tx, body: dict[str, Any], target_id: UUID) -> dict[str, Any]:
    """Change a target."""
    targets.change_target(tx, target_id, body["net"], body["strategy"])
    return {"target_id": target_id}


@expenses.get("/sales-targets")
@query
@admits(*BUDGET_READERS, "salesperson")
@expenses.arguments(schemas.YearArgs, location="query")
@expenses.response(200, schemas.YearPlanView)
def get_year_plan(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """The annual sales plan of a branch."""
    return queries.year_plan(tx, args["branch_id"], args["year"])


@expenses.get("/target-comparisons")
@query
@admits(*BUDGET_READERS, "salesperson")
@expenses.arguments(schemas.ProgressArgs, location="query")
@expenses.response(200, schemas.ProgressView)
def get_progress(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Targets beside what was sold, and who reported in time."""
    return queries.progress(tx, args["branch_id"], parse_month(args["month"]))


@expenses.post("/sales-reports")
@command
@admits("salesperson", "pharmacist", "cs_agent", "cashier", "store_manager")
@expenses.arguments(schemas.SalesReportBody)
@expenses.response(201, schemas.SalesReportedView)
def report_day(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Report a day's sales."""
    targets.report_day(tx, body)
    return {"day": body["day"]}


# --- customer relations -----------------------------------------------------------------------------


@expenses.post("/crm-records")
@command
@admits("accountant", "finance_head")
@expenses.arguments(schemas.CrmBody)
@expenses.response(201, schemas.CrmIdView)
def add_crm_record(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Record a cost or benefit of a customer relations project."""
    return {"record_id": targets.record_crm(tx, body, parse_month(body["month"]))}


@expenses.get("/crm-projects/<string:project>")
@query
@admits("accountant", "finance_auditor", "finance_head", "unit_head", "management", "cs_manager")
@expenses.response(200, schemas.CrmView)
def get_crm(tx: Tx, project: str) -> dict[str, Any]:
    """Cost, benefit and return of a project; zeros of an unknown one."""
    return queries.crm(tx, project)
