"""The shapes of requests and answers of costs."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH, INVOICE_WORDS, LOT, MAYBE, MONTH, NUMBER, REASON
from finance.kernel.receipt import QUANTITY_MAX, UNIT_PRICE_FEN_MAX
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import ANY_DAY, DAY

INVOICE = validate.Regexp(r"\A[0-9A-Z]{4,40}\Z", error=INVOICE_WORDS)


def _unit_price() -> MoneyField:
    """A price of one unit without tax: bounded, so that quantity × price stays within an amount."""
    return MoneyField(required=True, minimum_fen=0, maximum_fen=UNIT_PRICE_FEN_MAX // 10)


class GoodsLineBody(Schema):
    """`unit_price` is that of one unit, without tax, as on the supplier's invoice; `expiry` what was found printed on
    the packages that came.
    """

    product_id = fields.String(required=True, validate=NUMBER)
    lot = fields.String(required=True, validate=LOT)
    expiry = fields.Date(validate=ANY_DAY, **MAYBE)
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(1, QUANTITY_MAX))
    unit_price = _unit_price()
    tax_bp = fields.Integer(required=True, strict=True, validate=validate.Range(0, 10_000))


class GoodsReceiptBody(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    supplier_id = fields.String(required=True, validate=NUMBER)
    invoice_no = fields.String(required=True, validate=INVOICE, metadata={"example": "24312000000012345678"})
    received_on = fields.Date(validate=DAY, required=True)
    lines = fields.List(fields.Nested(GoodsLineBody), required=True, validate=validate.Length(1, 500))


class GoodsLineView(Schema):
    no = fields.Integer()
    product_id = fields.String()
    lot = fields.String()
    expiry = fields.Date(allow_none=True)
    quantity = fields.Integer()
    unit_price_fen = MoneyField(data_key="unit_price")
    net_fen = MoneyField(data_key="net")
    tax_bp = fields.Integer()
    tax_fen = MoneyField(data_key="tax")
    reference = fields.String(allow_none=True)
    reference_price_fen = MoneyField(data_key="reference_price", allow_none=True)
    variance_fen = MoneyField(data_key="variance", allow_none=True)


class GoodsReceiptView(Schema):
    goods_receipt_id = fields.UUID()
    branch_id = fields.String()
    supplier_id = fields.String()
    invoice_no = fields.String()
    received_on = fields.Date()
    booked_on = fields.Date()
    net_fen = MoneyField(data_key="net")
    tax_fen = MoneyField(data_key="tax")
    recorded_by = fields.String()
    lines = fields.List(fields.Nested(GoodsLineView))


class GoodsReceiptsArgs(PageArgs):
    """Days on which the goods came, both included."""

    branch_id = fields.String(load_default=None, validate=BRANCH)
    supplier_id = fields.String(load_default=None, validate=NUMBER)
    invoice_no = fields.String(load_default=None, validate=INVOICE)
    first = fields.Date(load_default=None, validate=DAY, data_key="from")
    until = fields.Date(load_default=None, validate=DAY)


class GoodsReceiptRow(GoodsReceiptView):
    """One goods receipt; `GET /v1/goods-receipts/{goods_receipt_id}` tells its lines."""

    class Meta:
        exclude = ("lines",)


class GoodsReceiptsPage(Schema):
    items = fields.List(fields.Nested(GoodsReceiptRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class StandardPriceBody(Schema):
    product_id = fields.String(required=True, validate=NUMBER)
    effective_from = fields.Date(validate=DAY, required=True)
    unit_price = _unit_price()


class StandardPriceView(Schema):
    product_id = fields.String()
    effective_from = fields.Date()
    unit_price = MoneyField()


class StockArgs(PageArgs):
    branch_id = fields.String(required=True, validate=BRANCH)
    product_id = fields.String(load_default=None, validate=NUMBER)


class LotStockView(Schema):
    """`unit_cost` is the moving average rounded half up, for reading only."""

    product_id = fields.String()
    lot = fields.String()
    quantity = fields.Integer()
    value_fen = MoneyField(data_key="value")
    unit_cost_fen = MoneyField(data_key="unit_cost", allow_none=True)


class LotStockPage(Schema):
    items = fields.List(fields.Nested(LotStockView))
    next_cursor = fields.String(allow_none=True)


class BranchArgs(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)


class ReconciliationView(Schema):
    branch_id = fields.String()
    account = fields.String()
    ledger_fen = MoneyField(data_key="ledger")
    stock_fen = MoneyField(data_key="stock")
    difference_fen = MoneyField(data_key="difference")
    costed_until = fields.Date(allow_none=True)


class CostRunBody(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    month = fields.String(required=True, validate=MONTH)


class CostRunView(Schema):
    run_id = fields.UUID()
    branch_id = fields.String()
    month = fields.String()
    no = fields.Integer()
    from_day = fields.Date(data_key="from")
    until_day = fields.Date(data_key="until")
    lots = fields.Integer()
    adjustment_fen = MoneyField(
        data_key="adjustment", metadata={"description": "What was posted to cost of goods."}
    )
    samples_fen = MoneyField(
        data_key="samples", metadata={"description": "What was posted to selling expense, for samples."}
    )
    run_by = fields.String()
    run_at = fields.AwareDateTime()


class CostRunsArgs(Schema):
    month = fields.String(required=True, validate=MONTH)
    branch_id = fields.String(load_default=None, validate=BRANCH)


class CostRunsList(Schema):
    items = fields.List(fields.Nested(CostRunView))


class VarianceArgs(PageArgs):
    month = fields.String(required=True, validate=MONTH)
    branch_id = fields.String(load_default=None, validate=BRANCH)
    by = fields.String(load_default="product", validate=validate.OneOf(["product", "supplier", "branch"]))


class PriceVarianceRow(Schema):
    """`compared` and `reference` leave out lines that nothing could be compared with."""

    key = fields.String()
    lines = fields.Integer()
    quantity = fields.Integer()
    actual_fen = MoneyField(data_key="actual")
    compared_fen = MoneyField(data_key="compared")
    reference_fen = MoneyField(data_key="reference")
    variance_fen = MoneyField(data_key="variance")
    variance_bp = fields.Integer(allow_none=True)


class PriceVariancePage(Schema):
    items = fields.List(fields.Nested(PriceVarianceRow))
    next_cursor = fields.String(allow_none=True)


class MarginArgs(PageArgs):
    """Months, both included; `until_month` left out is `from_month`."""

    from_month = fields.String(required=True, validate=MONTH)
    until_month = fields.String(load_default=None, validate=MONTH)
    branch_id = fields.String(load_default=None, validate=BRANCH)
    by = fields.String(
        load_default="product", validate=validate.OneOf(["product", "lot", "branch", "channel", "month"])
    )


class MarginRow(Schema):
    """`cost` holds `adjustment`, what cost runs posted; `net` is less `returned`."""

    key = fields.String()
    lot = fields.String(allow_none=True)
    quantity = fields.Integer()
    net_fen = MoneyField(data_key="net")
    returned_fen = MoneyField(data_key="returned")
    cost_fen = MoneyField(data_key="cost")
    adjustment_fen = MoneyField(data_key="adjustment")
    margin_fen = MoneyField(data_key="margin")
    margin_bp = fields.Integer(allow_none=True)


class MarginPage(Schema):
    by = fields.String()
    items = fields.List(fields.Nested(MarginRow))
    next_cursor = fields.String(allow_none=True)


class BranchExpenseRow(Schema):
    branch_id = fields.String()
    account = fields.String()
    zh = fields.String()
    en = fields.String()
    fen = MoneyField(data_key="amount")


class BranchExpensesList(Schema):
    items = fields.List(fields.Nested(BranchExpenseRow))


class AlertsArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    open = fields.Boolean(load_default=True)


class BelowCostAlertView(Schema):
    """`line_id` is the line of the sale; it has one alert."""

    alert_id = fields.UUID(attribute="line_id", dump_only=True)
    line_id = fields.UUID()
    sale_id = fields.UUID()
    branch_id = fields.String()
    booked_on = fields.Date()
    product_id = fields.String()
    lot = fields.String()
    quantity = fields.Integer()
    net_fen = MoneyField(data_key="net")
    cost_fen = MoneyField(data_key="cost")
    basis = fields.String()
    sold_by = fields.String()
    found_at = fields.AwareDateTime()
    acknowledged_by = fields.String(allow_none=True)
    acknowledged_at = fields.AwareDateTime(allow_none=True)
    reason = fields.String(allow_none=True)


class BelowCostAlertsPage(Schema):
    items = fields.List(fields.Nested(BelowCostAlertView))
    next_cursor = fields.String(allow_none=True)


class BelowCostAcknowledgeBody(Schema):
    reason = fields.String(required=True, validate=REASON)


class BelowCostAcknowledgedView(Schema):
    alert_id = fields.UUID()
