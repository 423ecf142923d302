"""HTTP: sales as they are read."""

from typing import Any

from finance.kernel.roles import SALE_READERS
from finance.sold import queries, schemas
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, query, rationed

sold_goods = Blueprint("sold_goods", __name__, tag="sales")
stopped_lot_sales = Blueprint("stopped_lot_sales", __name__, tag="credit")
RECEIPTS_PER_LOOK_UP = 4
"""A receipt names no person, but its customer's id: finding four is rationed as finding one person."""


@sold_goods.get("/sales")
@rationed(share=RECEIPTS_PER_LOOK_UP)
@query
@admits(*SALE_READERS)
@sold_goods.arguments(schemas.SalesArgs, location="query")
@sold_goods.response(200, schemas.SalesPage)
def list_sales(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Receipts of a branch by number, day, till, tender, customer or channel; oldest business day first."""
    return queries.sales(tx, args)


@sold_goods.get("/sales-totals")
@query
@admits(*SALE_READERS)
@sold_goods.arguments(schemas.SalesTotalsArgs, location="query")
@sold_goods.response(200, schemas.SalesTotalsPage)
def list_sales_totals(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What each till of a branch took of each tender, per business day."""
    return queries.sales_totals(tx, args)


@sold_goods.get("/sale-lines")
@query
@admits(*SALE_READERS)
@sold_goods.arguments(schemas.SaleLinesArgs, location="query")
@sold_goods.response(200, schemas.SaleLinesPage)
def list_sale_lines(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What a customer bought, or where a product or a lot of it was sold; oldest sale first."""
    return queries.sale_lines(tx, args)


@stopped_lot_sales.get("/stopped-lot-sales")
@query
@admits("qa", "store_manager", "business_head", "finance_auditor", "management")
@stopped_lot_sales.arguments(schemas.StoppedSalesArgs, location="query")
@stopped_lot_sales.response(200, schemas.StoppedSalesPage)
def list_sales_of_stopped_lots(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What was sold of lots that are off sale now, and by which branch; offline tills upload late."""
    return queries.sales_of_stopped_lots(tx, args)
