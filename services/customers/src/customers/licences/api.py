"""Licences, the admission of institutions, and their permission, over HTTP."""

from datetime import date
from typing import Any
from uuid import UUID

from customers import master
from customers.kernel.customer import CUSTOMER_READERS, NotAnInstitution
from customers.licences import commands, queries, schemas, store
from customers.licences.rules import for_categories
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

licences = Blueprint("licences", __name__, description="Licences and admission of institutions.")


@licences.post("/customers/<uuid:customer_id>/licences")
@command
@admits("cs_agent", "cs_manager", "salesperson")
@licences.arguments(schemas.LicenceBody)
@licences.response(201, schemas.LicenceDecidedView)
def submit_licence(tx: Tx, body: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Hand in a licence for verification."""
    return commands.submit_licence(tx, customer_id, body)


@licences.get("/customers/<uuid:customer_id>/licences")
@query
@admits(*CUSTOMER_READERS)
@licences.response(200, schemas.LicenceList)
def list_licences(tx: Tx, customer_id: UUID) -> dict[str, Any]:
    """Every licence an institution ever handed in, oldest first."""
    row = master.row_of(tx.conn, customer_id)
    tx.actor.require_branch(row.branch_id)
    if row.kind == "patient":
        raise NotAnInstitution("a patient has no licences")
    return {"items": store.licence_rows(tx.conn, customer_id)}


@licences.get("/licences")
@query
@admits(*CUSTOMER_READERS)
@licences.arguments(schemas.LicencesArgs, location="query")
@licences.response(200, schemas.LicencePage)
def list_all_licences(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Licences of the institutions of the token's branches, for instance those that wait for a decision; oldest first."""
    return queries.of_all(tx.conn, tx.actor.branch_filter(), args)


@licences.post("/customers/<uuid:customer_id>/licences/<uuid:licence_id>/decisions")
@command
@admits("qa")
@licences.arguments(DecisionBody)
@licences.response(200, schemas.LicenceDecidedView)
def decide_licence(tx: Tx, body: dict[str, Any], customer_id: UUID, licence_id: UUID) -> dict[str, Any]:
    """Verify or reject a licence; only quality assurance may."""
    return commands.decide_licence(
        tx, customer_id, licence_id, verified=body["approved"], reason=body["reason"]
    )


@licences.post("/customers/<uuid:customer_id>/decisions")
@command
@admits("business_head")
@licences.arguments(DecisionBody)
@licences.response(200, schemas.ApprovalView)
def decide_customer(tx: Tx, body: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """The business head's decision on an applicant."""
    return commands.approve(tx, customer_id, **body)


@licences.get("/trade-permissions/<uuid:customer_id>")
@query
@admits(*CUSTOMER_READERS)
@licences.arguments(schemas.TradePermissionArgs, location="query")
@licences.response(200, schemas.TradePermissionView)
def get_trade_permission(tx: Tx, args: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """May this customer buy these categories on this day, and if not, why?"""
    on: date = args.get("on") or business_date(tx.now)
    row = master.row_of(tx.conn, customer_id)
    tx.actor.require_branch(row.branch_id)
    permission, version = queries.trade_permission(tx.conn, row, on)
    if row.kind != "patient":
        permission = for_categories(
            permission, args.get("categories", "").split(",") if "categories" in args else ()
        )
    return {
        "customer_id": customer_id,
        "on": on,
        "allowed": permission.allowed,
        "categories": permission.categories,
        "reasons": permission.reasons,
        "valid_until": permission.valid_until,
        "permission_version": version,
    }
