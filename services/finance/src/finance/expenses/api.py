"""HTTP of expense claims."""

from typing import Any
from uuid import UUID

from finance import expense_categories
from finance.expenses import queries, rules, schemas
from finance.expenses.commands import deciding, drafting
from finance.kernel.period import parse_month
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

expenses = Blueprint("expenses", __name__, description="Claims, budgets, promotion plans, sales targets.")


@expenses.post("/expense-claims")
@command
@admits(*expense_categories.STAFF)
@expenses.arguments(schemas.ExpenseClaimBody)
@expenses.response(201, schemas.ExpenseClaimView)
def draft_claim(tx: Tx, body: rules.Claimed) -> dict[str, Any]:
    """Draft a claim of one's own; `warnings` say what would stand in its way."""
    return queries.claim(tx, drafting.draft(tx, body))


@expenses.get("/expense-claims")
@query
@admits(*expense_categories.STAFF)
@expenses.arguments(schemas.ClaimsArgs, location="query")
@expenses.response(200, schemas.ExpenseClaimsPage)
def list_claims(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Claims of the branches of those who judge claims; of others, their own."""
    return queries.claims(tx, args)


@expenses.get("/audit-figures")
@query
@admits(*expense_categories.SPENDING_READERS)
@expenses.arguments(schemas.FiguresArgs, location="query")
@expenses.response(200, schemas.AuditFiguresView)
def get_audit_figures(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """How many claims finance audited in a month, and how many it reduced or refused."""
    return queries.audit_figures(tx, parse_month(args["month"]), args["branch_id"])


@expenses.get("/expense-claims/<uuid:claim_id>")
@query
@admits(*expense_categories.STAFF)
@expenses.response(200, schemas.ExpenseClaimView)
def get_claim(tx: Tx, claim_id: UUID) -> dict[str, Any]:
    """One claim."""
    return queries.claim(tx, claim_id)


@expenses.put("/expense-claims/<uuid:claim_id>")
@command
@admits(*expense_categories.STAFF)
@expenses.arguments(schemas.ExpenseClaimBody)
@expenses.response(200, schemas.ExpenseClaimView)
def revise_claim(tx: Tx, body: rules.Claimed, claim_id: UUID) -> dict[str, Any]:
    """Replace what a draft says."""
    drafting.revise(tx, claim_id, body)
    return queries.claim(tx, claim_id)


@expenses.post("/expense-claims/<uuid:claim_id>/submit")
@command
@admits(*expense_categories.STAFF)
@expenses.response(200, schemas.ExpenseClaimView)
def submit_claim(tx: Tx, claim_id: UUID) -> dict[str, Any]:
    """Submit: invoices are taken and budget is reserved, or the overrun waits for its approval."""
    drafting.submit(tx, claim_id)
    return queries.claim(tx, claim_id)


@expenses.post("/expense-claims/<uuid:claim_id>/overrun/decisions")
@command
@admits("finance_head", "management")
@expenses.arguments(DecisionBody)
@expenses.response(200, schemas.ExpenseClaimView)
def decide_overrun(tx: Tx, body: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Let the claim exceed its budget: finance head and management, two persons."""
    deciding.decide_overrun(tx, claim_id, **body)
    return queries.claim(tx, claim_id)


@expenses.post("/expense-claims/<uuid:claim_id>/decisions")
@command
@admits(*sorted(deciding.MANAGERS | deciding.APPROVERS))
@expenses.arguments(DecisionBody)
@expenses.response(200, schemas.ExpenseClaimView)
def decide_claim(tx: Tx, body: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Of what was submitted a manager decides, of what was audited a head: then it is booked. Never of one's own."""
    deciding.decide(tx, claim_id, **body)
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
    deciding.audit_claim(tx, claim_id, findings)
    return queries.claim(tx, claim_id)


@expenses.post("/expense-claims/<uuid:claim_id>/pay")
@command
@admits("cashier")
@expenses.arguments(schemas.ExpensePaymentBody)
@expenses.response(200, schemas.ExpenseClaimView)
def pay_claim(tx: Tx, body: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Pay what was approved, by a person who had no part in it."""
    deciding.pay(tx, claim_id, body["paid_from"])
    return queries.claim(tx, claim_id)
