"""The credit of institutions over HTTP; patients get none."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from customers import master
from customers.credit import commands, model, schemas, store
from customers.credit.model import Credit, Terms
from customers.credit.tables import credit_decisions
from customers.kernel.customer import NotAnInstitution
from shared.approvals import decisions_by_subject
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.paging import PageArgs, decode_cursor, page
from shared.transaction import Tx
from shared.web import admits, command, query

PROPOSERS = ("salesperson", "cs_manager", "business_head")
READERS = (*PROPOSERS, "accountant", "finance_head", "finance_auditor", "store_manager", "management")

credit = Blueprint(
    "credit",
    __name__,
    description="Credit of institutions.",
)


@credit.post("/customers/<uuid:customer_id>/credits")
@command
@admits(*PROPOSERS)
@credit.arguments(schemas.CreditProposalBody)
@credit.response(201, schemas.CreditView)
def propose_credit(tx: Tx, body: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Propose a credit; finance head and business head decide, neither of them who proposed it."""
    return _one(tx, customer_id, commands.propose(tx, customer_id, Terms(**body)))


@credit.post("/customers/<uuid:customer_id>/credits/<uuid:credit_id>/decisions")
@command
@admits(*sorted(commands.APPROVERS))
@credit.arguments(DecisionBody)
@credit.response(200, schemas.CreditView)
def decide_credit(tx: Tx, body: dict[str, Any], customer_id: UUID, credit_id: UUID) -> dict[str, Any]:
    """Approve or reject a proposal; with the second approval it takes effect."""
    commands.decide(tx, customer_id, credit_id, **body)
    return _one(tx, customer_id, credit_id)


@credit.post("/customers/<uuid:customer_id>/credit-holds")
@command
@admits("finance_head")
@credit.arguments(schemas.CreditHoldBody)
@credit.response(201, schemas.CreditView)
def hold_credit(tx: Tx, body: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Stop selling to the customer on credit, at once; lifting it takes an approved proposal."""
    return _one(tx, customer_id, commands.hold(tx, customer_id, body["reason"]))


@credit.get("/credit-standings/<uuid:customer_id>")
@query
@admits(*READERS)
@credit.response(200, schemas.CreditStandingView)
def get_credit(tx: Tx, customer_id: UUID) -> dict[str, Any]:
    """The credit in effect, and the proposal that is being decided."""
    _require_mine(tx, customer_id)
    archive = store.of_customer(tx.conn, customer_id)
    proposed = next((each for each in archive if each.state == "proposed"), None)
    newest = model.current(archive)
    views = iter(_views(tx, [asdict(each) for each in (newest, proposed) if each]))
    return {
        "customer_id": customer_id,
        "current": next(views) if newest else None,
        "proposed": next(views) if proposed else None,
    }


@credit.get("/customers/<uuid:customer_id>/credits")
@query
@admits(*READERS)
@credit.arguments(PageArgs, location="query")
@credit.response(200, schemas.CreditArchivePage)
def list_credit_archive(tx: Tx, args: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Everything ever proposed, with who decided what, newest first."""
    _require_mine(tx, customer_id)
    (before,) = decode_cursor(args["cursor"], UUID)
    rows = store.page(tx.conn, customer_id, before=before, limit=args["limit"] + 1)
    return _listed(tx, rows, args["limit"], "credit_id")


@credit.get("/credits")
@query
@admits(*READERS)
@credit.arguments(schemas.CreditsArgs, location="query")
@credit.response(200, schemas.CreditArchivePage)
def list_credits(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What is in effect, or waits for its decisions, for customers of the token's branches, in the order of their ids."""
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = store.of_all(
        tx.conn,
        is_proposed=args["state"] == "proposed",
        branches=tx.actor.branch_filter(),
        ending_by=args["until"],
        after=after,
        limit=args["limit"] + 1,
    )
    return _listed(tx, rows, args["limit"], "customer_id")


def _listed(tx: Tx, rows: Sequence[Credit], limit: int, key: str) -> dict[str, Any]:
    listed = page(map(asdict, rows), limit, key)
    return {**listed, "items": _views(tx, listed["items"])}


def _require_mine(tx: Tx, customer_id: UUID) -> None:
    row = master.row_of(tx.conn, customer_id)
    tx.actor.require_branch(row.branch_id)
    if row.kind == "patient":
        raise NotAnInstitution("a patient gets no credit")


def _one(tx: Tx, customer_id: UUID, credit_id: UUID) -> dict[str, Any]:
    archive = store.of_customer(tx.conn, customer_id)
    return _views(tx, [asdict(each) for each in archive if each.credit_id == credit_id])[0]


def _views(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    ids = [row["credit_id"] for row in rows]
    decisions = decisions_by_subject(tx.conn, credit_decisions, "credit_id", ids)
    return [{**row, "decisions": decisions[row["credit_id"]]} for row in rows]
