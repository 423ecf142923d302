"""HTTP of orders: price rules, strategies and grades; orders from draft to end; shipments and their papers."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from finance.kernel.period import parse_month
from finance.kernel.receipt import Product, TempClass
from finance.kernel.roles import ORDER_READERS, ORDER_SELLERS
from finance.orders import queries, schemas
from finance.orders.commands import ordering, waiting
from finance.orders.model import Decided, Wanted
from finance.orders.rules import Line, NamedLot
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

orders = Blueprint("orders", __name__, description="Price rules, sales orders, shipments.")
CONFIRMERS = ("invoicing_clerk", "store_manager", "business_head")


def _lines(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    return [
        Line(
            no=row["no"],
            product=Product(**{**row["product"], "temp_class": TempClass(row["product"]["temp_class"])}),
            quantity=row["quantity"],
            unit_price_fen=row["unit_price"],
            unit_discount_fen=row["unit_discount"],
            tax_bp=row["tax_bp"],
            deliver_on=row["deliver_on"],
            contract_line=row["contract_line"],
            lots=tuple(NamedLot(**lot) for lot in row["lots"]),
        )
        for row in sorted(rows, key=lambda each: int(each["no"]))
    ]


def _wanted(body: Mapping[str, Any]) -> Wanted:
    return Wanted(body["branch_id"], body["customer_id"], body["contract_id"], _lines(body["lines"]))


@orders.post("/orders")
@command
@admits(*ORDER_SELLERS)
@orders.arguments(schemas.OrderBody)
@orders.response(201, schemas.OrderView)
def draft_order(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Draft what a customer asks for; it holds nothing until it is confirmed."""
    return queries.order(tx, ordering.draft(tx, _wanted(body)))


@orders.get("/orders")
@query
@admits(*ORDER_READERS)
@orders.arguments(schemas.OrdersArgs, location="query")
@orders.response(200, schemas.OrdersPage)
def list_orders(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Orders of the token's branches, for instance those that wait for a decision; such a page may be short, go on by its cursor."""
    if args["waits_for"] == "decision":
        return waiting.undecided(tx, args)
    if args["waits_for"] == "confirmation":
        return queries.proposed(tx, args, args["limit"])
    return queries.list_orders(tx, args)


@orders.get("/order-exceptions")
@query
@admits("store_manager", "business_head", "finance_auditor", "finance_head", "management")
@orders.arguments(schemas.OrderExceptionsArgs, location="query")
@orders.response(200, schemas.OrderExceptionsPage)
def list_exceptions(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Orders of a month whose price or credit took an approval, and who gave it."""
    return queries.exceptions(tx, parse_month(args["month"]), args)


@orders.get("/orders/<uuid:order_id>")
@query
@admits(*ORDER_READERS)
@orders.response(200, schemas.OrderView)
def get_order(tx: Tx, order_id: UUID) -> dict[str, Any]:
    """One order: in force, proposed, decided, shipped."""
    return queries.order(tx, order_id)


@orders.put("/orders/<uuid:order_id>")
@command
@admits(*ORDER_SELLERS)
@orders.arguments(schemas.OrderChangeBody)
@orders.response(200, schemas.OrderView)
def change_order(tx: Tx, body: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    """Replace a draft, or propose a change of a confirmed order, which stays in force until that is confirmed."""
    ordering.propose_change(tx, order_id, body["version"], _lines(body["lines"]))
    return queries.order(tx, order_id)


@orders.post("/orders/<uuid:order_id>/check")
@command
@admits(*ORDER_SELLERS)
@orders.response(200, schemas.OrderCheckView)
def check_order(tx: Tx, order_id: UUID) -> dict[str, Any]:
    """What stands in the way of what is proposed, all of it; nothing is held."""
    judged = ordering.check(tx, order_id)
    return {**queries.order(tx, order_id), "faults": [each.told() for each in judged.faults]}


@orders.post("/orders/<uuid:order_id>/decisions")
@command
@admits("salesperson", "invoicing_clerk", "store_manager", "business_head", "finance_head")
@orders.arguments(schemas.OrderDecisionBody)
@orders.response(200, schemas.OrderView)
def decide_on_order(tx: Tx, body: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    """Decide on a discount, a price below the floor, or an override of credit, of this version alone."""
    ordering.decide(tx, order_id, Decided(**body))
    return queries.order(tx, order_id)


@orders.post("/orders/<uuid:order_id>/confirm")
@command
@admits(*CONFIRMERS)
@orders.arguments(schemas.OrderVersionBody)
@orders.response(200, schemas.OrderView)
def confirm_order(tx: Tx, body: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    """Put what is proposed in force, with every check made now; never by who asked for it."""
    ordering.confirm(tx, order_id, body["version"])
    return queries.order(tx, order_id)


@orders.post("/orders/<uuid:order_id>/cancel")
@command
@admits(*ORDER_SELLERS)
@orders.arguments(schemas.OrderEndBody)
@orders.response(200, schemas.OrderView)
def cancel_order(tx: Tx, body: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    """Cancel an order of which nothing was shipped; what it holds is free."""
    ordering.end(tx, order_id, body["reason"], is_cancelled=True)
    return queries.order(tx, order_id)


@orders.post("/orders/<uuid:order_id>/close")
@command
@admits(*CONFIRMERS)
@orders.arguments(schemas.OrderEndBody)
@orders.response(200, schemas.OrderView)
def close_order(tx: Tx, body: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    """Close an order with what was shipped; what it still holds is free."""
    ordering.end(tx, order_id, body["reason"], is_cancelled=False)
    return queries.order(tx, order_id)


@orders.post("/orders/<uuid:order_id>/reopen")
@command
@admits(*ORDER_SELLERS)
@orders.response(200, schemas.OrderView)
def reopen_order(tx: Tx, order_id: UUID) -> dict[str, Any]:
    """Propose an ended order anew: it holds nothing until it has passed every check again."""
    ordering.reopen(tx, order_id)
    return queries.order(tx, order_id)
