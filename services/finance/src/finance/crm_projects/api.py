"""HTTP of customer relations projects."""

from typing import Any

from finance.crm_projects import commands, queries, schemas
from finance.kernel.period import parse_month
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

crm_projects = Blueprint("crm_projects", __name__, tag="expenses")


@crm_projects.post("/crm-records")
@command
@admits("accountant", "finance_head")
@crm_projects.arguments(schemas.CrmBody)
@crm_projects.response(201, schemas.CrmIdView)
def add_crm_record(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Record a cost or benefit of a customer relations project."""
    return {"record_id": commands.record_crm(tx, body, parse_month(body["month"]))}


@crm_projects.get("/crm-projects/<string:project>")
@query
@admits("accountant", "finance_auditor", "finance_head", "unit_head", "management", "cs_manager")
@crm_projects.response(200, schemas.CrmView)
def get_crm(tx: Tx, project: str) -> dict[str, Any]:
    """Cost, benefit and return of a project; zeros of an unknown one."""
    return queries.crm(tx, project)
