"""JSON of the original order."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from returns.kernel.fields import branch_field, reference_field
from shared.money import MoneyField


class SaleArgs(Schema):
    branch_id = branch_field(required=True)
    sale_id = reference_field(load_default=None)
    receipt_number = reference_field(load_default=None)

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if (data["sale_id"] is None) == (data["receipt_number"] is None):
            raise ValidationError("give either sale_id or receipt_number", "sale_id")


class SoldLineView(Schema):
    sale_id = fields.String(required=True)
    receipt_number = fields.String(required=True)
    sale_line_id = fields.String(required=True)
    lot = fields.String(required=True)
    sold_on = fields.Date(required=True)
    customer_id = fields.String(required=True, allow_none=True)
    product_id = fields.String(required=True)
    category = fields.String(required=True)
    temp_class = fields.String(required=True)
    expiry = fields.Date(required=True)
    quantity = fields.Integer(required=True)
    returnable = fields.Integer(required=True)
    net = MoneyField(required=True, attribute="net_fen")
    tax = MoneyField(required=True, attribute="tax_fen")


class SoldLinesView(Schema):
    items = fields.List(fields.Nested(SoldLineView), required=True)
