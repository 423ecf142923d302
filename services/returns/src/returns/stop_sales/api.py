"""Stops of sale over HTTP."""

from typing import Any
from uuid import UUID

from returns.kernel.roles import READERS
from returns.stop_sales import commands, queries, schemas
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

stop_sales = Blueprint("stop_sales", __name__, description="Lots off sale")


@stop_sales.post("/stop-sales")
@command
@admits("qa")
@stop_sales.arguments(schemas.StopSaleBody)
@stop_sales.response(201, schemas.StopSaleView)
def order_stop_sale(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Take lots off sale in every branch, at once."""
    return queries.get_stop_sale(tx, commands.order_stop_sale(tx, body))


@stop_sales.get("/stop-sales")
@query
@admits(*READERS)
@stop_sales.arguments(schemas.StopSaleFilters, location="query")
@stop_sales.response(200, schemas.StopSalePage)
def list_stop_sales(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """What is or was off sale, the newest first."""
    return queries.list_stop_sales(tx, filters)


@stop_sales.get("/stop-sales/<uuid:stop_sale_id>")
@query
@admits(*READERS)
@stop_sales.response(200, schemas.StopSaleView)
def get_stop_sale(tx: Tx, stop_sale_id: UUID) -> dict[str, Any]:
    """One stop, with every request to lift it."""
    return queries.get_stop_sale(tx, stop_sale_id)


@stop_sales.post("/stop-sales/<uuid:stop_sale_id>/lift")
@command
@admits("qa")
@stop_sales.arguments(schemas.LiftingBody)
@stop_sales.response(201, schemas.StopSaleView)
def lift_stop_sale(tx: Tx, body: dict[str, Any], stop_sale_id: UUID) -> dict[str, Any]:
    """Ask management to let the lots back on sale."""
    commands.ask_to_lift(tx, stop_sale_id, reason=body["reason"], evidence=body["evidence"])
    return queries.get_stop_sale(tx, stop_sale_id)


@stop_sales.post("/stop-sales/<uuid:stop_sale_id>/lifting/decisions")
@command
@admits("management")
@stop_sales.arguments(DecisionBody)
@stop_sales.response(200, schemas.StopSaleView)
def decide_lifting(tx: Tx, body: dict[str, Any], stop_sale_id: UUID) -> dict[str, Any]:
    """Lift the stop, or let it stand; never by who asked."""
    commands.decide_lifting(tx, stop_sale_id, approved=body["approved"], reason=body["reason"])
    return queries.get_stop_sale(tx, stop_sale_id)
