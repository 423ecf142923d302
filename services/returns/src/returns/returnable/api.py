"""The original order over HTTP."""

from typing import Any

from returns.kernel.roles import READERS
from returns.returnable import queries, schemas
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, query

sold = Blueprint("sold", __name__, tag="returns")


@sold.get("/sold-lines")
@query
@admits(*READERS)
@sold.arguments(schemas.SaleArgs, location="query")
@sold.response(200, schemas.SoldLinesView)
def get_sold_lines(tx: Tx, asked: dict[str, Any]) -> dict[str, Any]:
    """Pull the original order, with what may still come back of each line."""
    return {"items": queries.get_sold_lines(tx, **asked)}
