"""Receipts and what becomes of them, for OpenAPI and for telling every fault of a payload at once."""

from typing import ClassVar

import msgspec
from marshmallow import Schema, fields, validate

from finance.kernel import receipt as shape
from shared.money import MoneyField
from shared.typed_fields import strict_field


class ProductBody(Schema):
    """What was sold as it was called then (药品管理法 Art 57)."""

    class Meta:
        include: ClassVar = {
            each.encode_name: strict_field(shape.Product, each.name)
            for each in msgspec.structs.fields(shape.Product)
        }


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


class PaymentBody(Schema):
    """`redemption_id` is needed with the tender `points`, and refused with any other."""

    tender = strict_field(shape.Payment, "tender")
    amount = strict_field(shape.Payment, "amount")
    redemption_id = strict_field(shape.Payment, "redemption_id")


class ReceiptBody(Schema):
    """One receipt; tenders sum exactly to Σ (quantity × unit_price − discount)."""

    receipt_number = strict_field(shape.Receipt, "receipt_number")
    branch_id = strict_field(shape.Receipt, "branch_id")
    customer_id = strict_field(shape.Receipt, "customer_id")
    channel = strict_field(shape.Receipt, "channel")
    sold_at = strict_field(shape.Receipt, "sold_at")
    late = strict_field(shape.Receipt, "late")
    lines = fields.List(
        fields.Nested(ReceiptLineBody), required=True, validate=validate.Length(1, shape.LINES_MAX)
    )
    tenders = fields.List(
        fields.Nested(PaymentBody), required=True, validate=validate.Length(0, len(shape.Tender))
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
