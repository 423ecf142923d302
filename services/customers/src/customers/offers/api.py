"""Offers over HTTP: their design and approval, and what a till shows for a customer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from customers import master
from customers.offers import commands, schemas, store
from customers.offers.tables import offer_decisions
from shared.approvals import decisions_by_subject
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.decisions import DecisionBody
from shared.paging import decode_cursor, page
from shared.transaction import Tx
from shared.web import admits, command, query

DESIGNERS = ("cs_agent", "cs_manager")
READERS = (*DESIGNERS, "accountant", "finance_head", "finance_auditor", "store_manager", "management")
COUNTERS = ("till", "cashier", "invoicing_clerk", "salesperson", "store_manager", *DESIGNERS)

offers = Blueprint("offers", __name__, url_prefix="/offers", description="Offers to patients.")
customer_offers = Blueprint(
    "customer_offers",
    __name__,
    url_prefix="/customers/<uuid:customer_id>/offers",
    description="Offers to patients.",
)


@offers.post("")
@command
@admits(*DESIGNERS)
@offers.arguments(schemas.OfferBody)
@offers.response(201, schemas.OfferView)
def propose_offer(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Design an offer. Finance is asked for its cost; it is `funded` or `refused` a moment later."""
    return _one(tx, commands.propose(tx, body))


@offers.get("")
@query
@admits(*READERS)
@offers.arguments(schemas.OffersArgs, location="query")
@offers.response(200, schemas.OffersPage)
def list_offers(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Offers of the token's branches, newest first."""
    (before,) = decode_cursor(args["cursor"], UUID)
    rows = store.page(
        tx.conn,
        branches=tx.actor.branch_filter(),
        state=args["state"],
        before=before,
        limit=args["limit"] + 1,
    )
    listed = page(map(asdict, rows), args["limit"], "offer_id")
    return listed | {"items": _views(tx, listed["items"])}


@offers.get("/<uuid:offer_id>")
@query
@admits(*READERS)
@offers.response(200, schemas.OfferView)
def get_offer(tx: Tx, offer_id: UUID) -> dict[str, Any]:
    """An offer, who decided what on it, and finance's answer."""
    tx.actor.require_branch(store.one(tx.conn, offer_id).branch_id)
    return _one(tx, offer_id)


@offers.post("/<uuid:offer_id>/decisions")
@command
@admits(*sorted(commands.APPROVERS))
@offers.arguments(DecisionBody)
@offers.response(200, schemas.OfferView)
def decide_offer(tx: Tx, body: dict[str, Any], offer_id: UUID) -> dict[str, Any]:
    """Approve or reject a funded offer; the second approval publishes it."""
    commands.decide(tx, offer_id, **body)
    return _one(tx, offer_id)


@offers.post("/<uuid:offer_id>/withdraw")
@command
@admits(*DESIGNERS)
@offers.response(200, schemas.OfferView)
def withdraw_offer(tx: Tx, offer_id: UUID) -> dict[str, Any]:
    """Take back a funded offer that is not published; its drawing is free again."""
    commands.withdraw(tx, offer_id)
    return _one(tx, offer_id)


@offers.post("/<uuid:offer_id>/close")
@command
@admits("cs_manager")
@offers.arguments(schemas.OfferEndBody)
@offers.response(200, schemas.OfferView)
def close_offer(tx: Tx, body: dict[str, Any], offer_id: UUID) -> dict[str, Any]:
    """End a published offer with what it cost; the rest of its drawing is free again."""
    commands.end(tx, offer_id, used_fen=body["used_fen"])
    return _one(tx, offer_id)


@customer_offers.get("")
@query
@admits(*COUNTERS)
@customer_offers.arguments(schemas.CustomerOffersArgs, location="query")
@customer_offers.response(200, schemas.CustomerOffersView)
def list_offers_to_customer(tx: Tx, args: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """What a branch offers this patient on a day. Institutions are offered nothing (G17)."""
    tx.actor.require_branch(args["branch_id"])
    customer = master.row_of(tx.conn, customer_id)
    if customer.kind != "patient" or customer.status != "active":
        return {"items": []}
    on = args["on"] or business_date(tx.now)
    return {"items": store.published(tx.conn, branch_id=args["branch_id"], on=on)}


def _one(tx: Tx, offer_id: UUID) -> dict[str, Any]:
    return _views(tx, [asdict(store.one(tx.conn, offer_id))])[0]


def _views(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    decisions = decisions_by_subject(tx.conn, offer_decisions, "offer_id", [row["offer_id"] for row in rows])
    return [{**row, "decisions": decisions[row["offer_id"]]} for row in rows]
