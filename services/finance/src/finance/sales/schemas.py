"""Receipts and what becomes of them, for OpenAPI and for telling every fault of a payload at once."""

from typing import Any, ClassVar

import msgspec
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from finance.kernel import receipt as shape
from finance.kernel.fields import BRANCH
from shared.languages import Text
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.typed_fields import strict_field
from shared.validators import DAY


class ProductBody(Schema):
    """What was sold as it was called then (药品管理法 Art 57)."""

    class Meta:
        include: ClassVar = {
            each.encode_name: strict_field(shape.Product, each.name)
            for each in msgspec.structs.fields(shape.Product)
        }


class PrescriptionBody(Schema):
    """Reviewed by a pharmacist before the drug was sold; a receipt may hold several, so a line names its own."""

    number = strict_field(shape.Prescription, "number")
    reviewed_by = strict_field(shape.Prescription, "reviewed_by")
    reviewed_at = strict_field(shape.Prescription, "reviewed_at")


class ReceiptLineBody(Schema):
    """`unit_price` and `discount` hold the tax; `cost` is that of the whole line, without tax."""

    product = fields.Nested(ProductBody, required=True)
    lot = strict_field(shape.ReceiptLine, "lot")
    expiry = strict_field(shape.ReceiptLine, "expiry")
    quantity = strict_field(shape.ReceiptLine, "quantity")
    unit_price = strict_field(shape.ReceiptLine, "unit_price")
    discount = strict_field(shape.ReceiptLine, "discount")
    tax_bp = strict_field(shape.ReceiptLine, "tax_bp")
    cost = strict_field(shape.ReceiptLine, "cost")
    trace_codes = strict_field(shape.ReceiptLine, "trace_codes")
    prescription = fields.Nested(PrescriptionBody, load_default=None, allow_none=True)


class PaymentBody(Schema):
    """`redemption_id` is needed with the tender `points`, and refused with any other.

    Several of one kind each name their `channel_transaction_id`; cash, credit and points have none.
    """

    tender = strict_field(shape.Payment, "tender")
    amount = strict_field(shape.Payment, "amount")
    redemption_id = strict_field(shape.Payment, "redemption_id")
    channel_transaction_id = strict_field(shape.Payment, "channel_transaction_id")


class ReceiptBody(Schema):
    """One receipt; tenders sum exactly to Σ (quantity × unit_price − discount)."""

    receipt_number = strict_field(shape.Receipt, "receipt_number")
    branch_id = strict_field(shape.Receipt, "branch_id")
    customer_id = strict_field(shape.Receipt, "customer_id")
    channel = strict_field(shape.Receipt, "channel")
    sold_at = strict_field(shape.Receipt, "sold_at")
    late = strict_field(shape.Receipt, "late")
    cashier_id = strict_field(shape.Receipt, "cashier_id")
    shift_id = strict_field(shape.Receipt, "shift_id")
    lines = fields.List(
        fields.Nested(ReceiptLineBody), required=True, validate=validate.Length(1, shape.LINES_MAX)
    )
    tenders = fields.List(
        fields.Nested(PaymentBody), required=True, validate=validate.Length(0, shape.TENDERS_MAX)
    )


class PostedLineView(Schema):
    line_id = fields.UUID()
    net = MoneyField()
    tax = MoneyField()


class PostedSaleView(Schema):
    """The sale as it was written: lines in the receipt's order."""

    sale_id = fields.UUID()
    receipt_number = fields.String()
    branch_id = fields.String()
    business_date = fields.Date()
    booked_on = fields.Date()
    lines = fields.List(fields.Nested(PostedLineView))
    net = MoneyField()
    tax = MoneyField()
    total = MoneyField()


class BulkResultLine(Schema):
    """One line of the answer of a bulk upload."""

    line = fields.Integer()
    receipt_number = fields.String(allow_none=True)
    state = fields.String(validate=validate.OneOf(["posted", "duplicate", "refused"]))
    sale_id = fields.UUID()
    code = fields.String()
    detail = fields.String()
    errors = fields.List(fields.Dict())


REPEATED_DAYS_MAX = 31


class RepeatedTraceCodesArgs(PageArgs):
    """Days of booking, both included, at most 31."""

    branch_id = fields.String(load_default=None, validate=BRANCH)
    first = fields.Date(required=True, validate=DAY, data_key="from")
    until = fields.Date(required=True, validate=DAY)

    @validates_schema
    def _few_days_in_order(self, data: dict[str, Any], **_: Any) -> None:
        days = (data["until"] - data["first"]).days
        if days < 0:
            raise ValidationError("`until` is before `from`", "until")
        if days >= REPEATED_DAYS_MAX:
            raise ValidationError(
                Text("at most {totals_days_max} days", totals_days_max=REPEATED_DAYS_MAX), "until"
            )


class RepeatedTraceCodeView(Schema):
    """A pack that a receipt sold though an earlier one had: `before` are the fields of the earlier."""

    trace_code = fields.String(required=True)
    sale_id = fields.UUID(required=True)
    no = fields.Integer(required=True)
    branch_id = fields.String(required=True)
    receipt_number = fields.String(required=True)
    sold_at = fields.AwareDateTime(required=True)
    booked_on = fields.Date(required=True)
    product_id = fields.String(required=True)
    lot = fields.String(required=True)
    before_sale_id = fields.UUID(required=True)
    before_branch_id = fields.String(required=True)
    before_receipt_number = fields.String(required=True)
    before_sold_at = fields.AwareDateTime(required=True)


class RepeatedTraceCodesPage(Schema):
    items = fields.List(fields.Nested(RepeatedTraceCodeView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
