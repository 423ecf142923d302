"""HTTP of sales targets and daily reports."""

from typing import Any
from uuid import UUID

from finance import expense_categories
from finance.kernel.period import parse_month
from finance.sales_targets import commands, queries, schemas
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

sales_targets = Blueprint("sales_targets", __name__, tag="expenses")


@sales_targets.post("/sales-targets")
@command
@admits("business_head", "store_manager", "management")
@sales_targets.arguments(schemas.SalesTargetBody)
@sales_targets.response(201, schemas.SalesTargetIdView)
def set_target(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Set the target of a branch, person or channel for a month."""
    return {"target_id": commands.set_target(tx, body, parse_month(body["month"]))}


@sales_targets.post("/sales-targets/<uuid:target_id>/change")
@command
@admits("business_head", "store_manager", "management")
@sales_targets.arguments(schemas.SalesTargetChangeBody)
@sales_targets.response(200, schemas.SalesTargetIdView)
def change_target(tx: Tx, body: dict[str, Any], target_id: UUID) -> dict[str, Any]:
    """Change a target."""
    commands.change_target(tx, target_id, body["net"], body["strategy"])
    return {"target_id": target_id}


@sales_targets.get("/sales-targets")
@query
@admits(*expense_categories.SPENDING_READERS, "salesperson")
@sales_targets.arguments(schemas.YearArgs, location="query")
@sales_targets.response(200, schemas.YearPlanView)
def get_year_plan(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """The annual sales plan of a branch."""
    return queries.year_plan(tx, args["branch_id"], args["year"])


@sales_targets.get("/target-comparisons")
@query
@admits(*expense_categories.SPENDING_READERS, "salesperson")
@sales_targets.arguments(schemas.ProgressArgs, location="query")
@sales_targets.response(200, schemas.ProgressView)
def get_progress(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Targets beside what was sold, and who reported in time."""
    return queries.progress(tx, args["branch_id"], parse_month(args["month"]))


@sales_targets.post("/sales-reports")
@command
@admits("salesperson", "pharmacist", "cs_agent", "cashier", "store_manager")
@sales_targets.arguments(schemas.SalesReportBody)
@sales_targets.response(201, schemas.SalesReportedView)
def report_day(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Report a day's sales."""
    commands.report_day(tx, body)
    return {"day": body["day"]}
