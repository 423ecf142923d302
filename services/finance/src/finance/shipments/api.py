"""HTTP: orders are shipped, and what became of shipments."""

from typing import Any
from uuid import UUID

from flask import Response

from finance import orders, printing
from finance.kernel.period import parse_month
from finance.kernel.roles import ORDER_READERS, SHIPPERS
from finance.shipments import papers, queries, schemas
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

shipments = Blueprint("shipments", __name__, tag="orders")


@shipments.post("/orders/<uuid:order_id>/ship")
@command
@admits(*SHIPPERS)
@shipments.arguments(schemas.ShipmentBody)
@shipments.response(201, schemas.ShipmentView)
def ship_order(tx: Tx, body: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    """Ship lots of an order: the sale is posted with it."""
    parcels = [
        orders.Parcel(
            line_no=row["line_no"],
            lot=row["lot"],
            expiry=row["expiry"],
            quantity=row["quantity"],
            cost_fen=row["cost"],
            trace_codes=tuple(row["trace_codes"]),
        )
        for row in body["lines"]
    ]
    return queries.shipment(tx, orders.ship(tx, order_id, parcels))


@shipments.get("/shipments")
@query
@admits(*ORDER_READERS)
@shipments.arguments(schemas.ShipmentsArgs, location="query")
@shipments.response(200, schemas.ShipmentsPage)
def list_shipments(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Shipments by the day they were sent, oldest first."""
    return queries.shipments(tx, args)


@shipments.get("/due-shipments")
@query
@admits(*ORDER_READERS)
@shipments.arguments(schemas.ShipmentsDueArgs, location="query")
@shipments.response(200, schemas.ShipmentsDuePage)
def list_due_shipments(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What waits to be shipped until a day, the most overdue first."""
    return queries.due(tx, args)


@shipments.get("/shipment-figures")
@query
@admits(*ORDER_READERS)
@shipments.arguments(schemas.ShipmentFiguresArgs, location="query")
@shipments.response(200, schemas.ShipmentFiguresView)
def get_shipment_figures(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Delivery in time, per branch, of a month."""
    return queries.figures(tx, parse_month(args["month"]), args["branch_id"])


@shipments.get("/shipments/<uuid:shipment_id>")
@query
@admits(*ORDER_READERS)
@shipments.response(200, schemas.ShipmentView)
def get_shipment(tx: Tx, shipment_id: UUID) -> dict[str, Any]:
    """One shipment with its lots."""
    return queries.shipment(tx, shipment_id)


@shipments.get("/shipments/<uuid:shipment_id>/pdf")
@query
@admits(*ORDER_READERS)
@shipments.arguments(schemas.DeliveryNoteArgs, location="query")
@shipments.doc(**printing.DOC)
def print_delivery_note(tx: Tx, args: dict[str, Any], shipment_id: UUID) -> Response:
    """The paper that travels with the goods (随货同行单)."""
    paper = papers.delivery_note(queries.shipment(tx, shipment_id), args["lang"])
    return printing.shown(paper, f"shipment-{shipment_id}")
