"""What routes of sales that were posted take and answer."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from finance.kernel import receipt as shape
from finance.kernel.codes import TraceCode
from finance.kernel.fields import BRANCH, LOT, NUMBER, PERSON
from shared.languages import Text
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY, INSTANT, of


class SaleLineView(Schema):
    sale_id = fields.UUID()
    line_id = fields.UUID()
    branch_id = fields.String()
    booked_on = fields.Date()
    product_id = fields.String()
    generic_name = fields.String()
    category = fields.String()
    temp_class = fields.String()
    dosage_form = fields.String(allow_none=True)
    specification = fields.String(allow_none=True)
    mah = fields.String(allow_none=True)
    maker = fields.String(allow_none=True)
    approval_number = fields.String(allow_none=True)
    gtin = fields.String(allow_none=True)
    lot = fields.String()
    expiry = fields.Date()
    quantity = fields.Integer()
    unit_price_fen = MoneyField(data_key="unit_price")
    discount_fen = MoneyField(data_key="discount")
    net_fen = MoneyField(data_key="net")
    tax_bp = fields.Integer()
    tax_fen = MoneyField(data_key="tax")
    cost_fen = MoneyField(data_key="cost")
    trace_codes = fields.List(fields.String(), allow_none=True)
    prescription_number = fields.String(allow_none=True)
    prescription_reviewed_by = fields.String(allow_none=True)
    prescription_reviewed_at = fields.AwareDateTime(allow_none=True)


class TenderView(Schema):
    tender = fields.String()
    redemption_id = fields.UUID(allow_none=True)
    channel_transaction_id = fields.String(allow_none=True)
    fen = MoneyField(data_key="amount")


class SaleView(Schema):
    sale_id = fields.UUID()
    receipt_number = fields.String()
    branch_id = fields.String()
    customer_id = fields.UUID(allow_none=True)
    channel = fields.String()
    business_date = fields.Date()
    booked_on = fields.Date()
    sold_at = fields.AwareDateTime()
    net_fen = MoneyField(data_key="net")
    tax_fen = MoneyField(data_key="tax")
    total_fen = MoneyField(data_key="total")
    cost_fen = MoneyField(data_key="cost")
    posted_by = fields.String()
    posted_at = fields.AwareDateTime()
    cashier_id = fields.String(allow_none=True)
    shift_id = fields.String(allow_none=True)
    lines = fields.List(fields.Nested(SaleLineView))
    tenders = fields.List(fields.Nested(TenderView))
    refunded_fen = MoneyField(data_key="refunded")


class _OfDays(PageArgs):
    """Business days, both included. `posted_by` is the account of the till or person that posted the receipt."""

    branch_id = fields.String(required=True, validate=BRANCH)
    posted_by = fields.String(load_default=None, validate=PERSON)
    tender = fields.String(load_default=None, validate=validate.OneOf([each.value for each in shape.Tender]))

    @validates_schema
    def _days_in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("first") and data.get("until") and data["until"] < data["first"]:
            raise ValidationError("`until` is before `from`", "until")


class SalesArgs(_OfDays):
    receipt_number = fields.String(load_default=None, validate=NUMBER)
    first = fields.Date(load_default=None, validate=DAY, data_key="from")
    until = fields.Date(load_default=None, validate=DAY)
    customer_id = fields.UUID(load_default=None)
    channel = fields.String(
        load_default=None, validate=validate.OneOf([each.value for each in shape.Channel])
    )


class PaidView(Schema):
    tender = fields.String(required=True)
    channel_transaction_id = fields.String(required=True, allow_none=True)
    fen = MoneyField(data_key="amount", required=True)


class SaleRow(Schema):
    """One receipt without its lines; `GET /v1/sales/{sale_id}` tells those."""

    sale_id = fields.UUID(required=True)
    receipt_number = fields.String(required=True)
    branch_id = fields.String(required=True)
    customer_id = fields.UUID(required=True, allow_none=True)
    channel = fields.String(required=True)
    business_date = fields.Date(validate=DAY, required=True)
    booked_on = fields.Date(validate=DAY, required=True)
    sold_at = fields.AwareDateTime(required=True)
    net_fen = MoneyField(data_key="net", required=True)
    tax_fen = MoneyField(data_key="tax", required=True)
    total_fen = MoneyField(data_key="total", required=True)
    tenders = fields.List(fields.Nested(PaidView), required=True)
    posted_by = fields.String(required=True)
    posted_at = fields.AwareDateTime(validate=INSTANT, required=True)
    cashier_id = fields.String(required=True, allow_none=True)
    shift_id = fields.String(required=True, allow_none=True)


class SalesPage(Schema):
    items = fields.List(fields.Nested(SaleRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


TOTALS_DAYS_MAX = 31


class SalesTotalsArgs(_OfDays):
    """At most 31 days."""

    first = fields.Date(required=True, validate=DAY, data_key="from")
    until = fields.Date(required=True, validate=DAY)

    @validates_schema
    def _not_too_many_days(self, data: dict[str, Any], **_: Any) -> None:
        if (data["until"] - data["first"]).days >= TOTALS_DAYS_MAX:
            raise ValidationError(
                Text("at most {totals_days_max} days", totals_days_max=TOTALS_DAYS_MAX), "until"
            )


class SalesTotalsRow(Schema):
    """`tender` is `none` for receipts that nothing was paid for."""

    business_date = fields.Date(validate=DAY, required=True)
    posted_by = fields.String(required=True)
    tender = fields.String(required=True)
    receipts = fields.Integer(required=True)
    fen = MoneyField(data_key="amount", required=True)


class SalesTotalsPage(Schema):
    items = fields.List(fields.Nested(SalesTotalsRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class SaleLinesArgs(PageArgs):
    """Lines of a customer, of a product, of both, or of one pack: who bought it, where it was sold. A lot is of a product.

    `from` and `until` are business dates with a customer, else days of booking.
    """

    customer_id = fields.UUID(load_default=None)
    product_id = fields.String(load_default=None, validate=NUMBER)
    lot = fields.String(load_default=None, validate=LOT)
    trace_code = fields.String(load_default=None, validate=of(TraceCode))
    first = fields.Date(load_default=None, validate=DAY, data_key="from")
    last = fields.Date(load_default=None, validate=DAY, data_key="until")
    branch_id = fields.String(load_default=None, validate=BRANCH)

    @validates_schema
    def _names_something(self, data: dict[str, Any], **_: Any) -> None:
        if data["customer_id"] is None and data["product_id"] is None and data["trace_code"] is None:
            raise ValidationError("name a customer, a product or a trace code", "product_id")
        if data["lot"] is not None and data["product_id"] is None:
            raise ValidationError("a lot is of a product", "product_id")


class SaleLinesPage(Schema):
    items = fields.List(fields.Nested(SaleLineView))
    next_cursor = fields.String(allow_none=True)


class StoppedSalesArgs(PageArgs):
    product_id = fields.String(load_default=None, validate=NUMBER)
    lot = fields.String(load_default=None, validate=LOT)
    is_after_stop = fields.Boolean(
        load_default=False, metadata={"description": "Only what arrived after the stop was ordered."}
    )


class StoppedSaleView(Schema):
    sale_id = fields.UUID(required=True)
    receipt_number = fields.String(required=True)
    branch_id = fields.String(required=True)
    product_id = fields.String(required=True)
    lot = fields.String(required=True)
    quantity = fields.Integer(required=True)
    sold_at = fields.AwareDateTime(required=True)
    posted_at = fields.AwareDateTime(required=True)
    stopped_at = fields.AwareDateTime(required=True)
    is_after_stop = fields.Boolean(required=True)


class StoppedSalesPage(Schema):
    items = fields.List(fields.Nested(StoppedSaleView), required=True)
    next_cursor = fields.String(allow_none=True)
