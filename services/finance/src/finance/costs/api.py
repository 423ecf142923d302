"""HTTP of costs: goods receipts, stock, cost runs, variance, margin, alerts."""

from typing import Any
from uuid import UUID

from finance.costs import queries, schemas
from finance.costs.commands import alerts, costing, receiving
from finance.costs.model import Bought, Purchase
from finance.kernel.period import parse_month
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

costs = Blueprint("costs", __name__, description="Purchase prices, moving average cost, variance, margin.")

READERS = (
    "purchaser",
    "store_manager",
    "business_head",
    "accountant",
    "finance_auditor",
    "finance_head",
    "unit_head",
    "management",
)


def _purchase(body: dict[str, Any]) -> Purchase:
    return Purchase(**{**body, "lines": [Bought(**each) for each in body["lines"]]})


@costs.post("/goods-receipts")
@command
@admits("accountant")
@costs.arguments(schemas.GoodsReceiptBody)
@costs.response(201, schemas.GoodsReceiptView)
def book_goods_receipt(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Book a supplier's invoice with the goods it is for."""
    return queries.goods_receipt(tx, receiving.receive(tx, _purchase(body)))


@costs.get("/goods-receipts")
@query
@admits(*READERS)
@costs.arguments(schemas.GoodsReceiptsArgs, location="query")
@costs.response(200, schemas.GoodsReceiptsPage)
def list_goods_receipts(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Goods receipts by the day the goods came, oldest first."""
    return queries.goods_receipts(tx, args)


@costs.get("/goods-receipts/<uuid:goods_receipt_id>")
@query
@admits(*READERS)
@costs.response(200, schemas.GoodsReceiptView)
def get_goods_receipt(tx: Tx, goods_receipt_id: UUID) -> dict[str, Any]:
    """One goods receipt, each line with the price it was compared with."""
    return queries.goods_receipt(tx, goods_receipt_id)


@costs.post("/standard-prices")
@command
@admits("finance_head")
@costs.arguments(schemas.StandardPriceBody)
@costs.response(201, schemas.StandardPriceView)
def set_standard_price(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """The price of one unit, without tax, that purchases are compared with from a day on."""
    receiving.set_standard_price(tx, body["product_id"], body["effective_from"], body["unit_price"])
    return body


@costs.get("/stock-balances")
@query
@admits(*READERS)
@costs.arguments(schemas.StockArgs, location="query")
@costs.response(200, schemas.LotStockPage)
def list_stock(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Purchased lots of a branch with quantity and value, as of the last cost run and all receipts."""
    return queries.stock(tx, args)


@costs.get("/stock-reconciliations")
@query
@admits(*READERS)
@costs.arguments(schemas.BranchArgs, location="query")
@costs.response(200, schemas.ReconciliationView)
def get_reconciliation(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Merchandise in the ledger beside the value of purchased stock."""
    return queries.reconciliation(tx, args["branch_id"])


@costs.post("/cost-runs")
@command
@admits("accountant")
@costs.arguments(schemas.CostRunBody)
@costs.response(201, schemas.CostRunView)
def run_costs(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Bring the cost of a month that is over to the moving average; again posts only what came late."""
    return queries.cost_run(tx, costing.run(tx, body["branch_id"], parse_month(body["month"])))


@costs.get("/cost-runs")
@query
@admits(*READERS)
@costs.arguments(schemas.CostRunsArgs, location="query")
@costs.response(200, schemas.CostRunsList)
def list_cost_runs(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """The cost runs of a month."""
    return {"items": queries.cost_runs(tx, parse_month(args["month"]), args["branch_id"])}


@costs.get("/purchase-price-variances")
@query
@admits(*READERS)
@costs.arguments(schemas.VarianceArgs, location="query")
@costs.response(200, schemas.PriceVariancePage)
def get_variance(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """How much dearer a month's purchases were than standard or last prices."""
    return queries.variance(tx, parse_month(args["month"]), args)


@costs.get("/margins")
@query
@admits(*READERS)
@costs.arguments(schemas.MarginArgs, location="query")
@costs.response(200, schemas.MarginPage)
def get_margins(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Gross margin by product, lot, branch, channel or month."""
    first = parse_month(args["from_month"])
    return queries.margins(tx, first, parse_month(args["until_month"] or args["from_month"]), args)


@costs.get("/branch-expenses")
@query
@admits(*READERS)
@costs.arguments(schemas.CostRunsArgs, location="query")
@costs.response(200, schemas.BranchExpensesList)
def get_branch_expenses(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What each branch spent in a month, by account."""
    return {"items": queries.branch_expenses(tx, parse_month(args["month"]), args["branch_id"])}


@costs.get("/below-cost-alerts")
@query
@admits(*READERS)
@costs.arguments(schemas.AlertsArgs, location="query")
@costs.response(200, schemas.BelowCostAlertsPage)
def list_alerts(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Sale lines that brought less than they cost."""
    return queries.alerts(tx, args)


@costs.post("/below-cost-alerts/<uuid:alert_id>/acknowledge")
@command
@admits("store_manager", "finance_auditor")
@costs.arguments(schemas.BelowCostAcknowledgeBody)
@costs.response(200, schemas.BelowCostAcknowledgedView)
def acknowledge_alert(tx: Tx, body: dict[str, Any], alert_id: UUID) -> dict[str, Any]:
    """Say why a line was sold below cost; never who sold it."""
    alerts.acknowledge(tx, alert_id, body["reason"])
    return {"alert_id": alert_id}
