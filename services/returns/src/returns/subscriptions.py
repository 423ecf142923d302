"""The fields Returns reads of other services' facts; whatever else they carry is ignored."""

from datetime import date

from marshmallow import EXCLUDE, Schema, fields, validate

SALE_POSTED = "finance.sale.posted.v1"
REFUND_PAID = "finance.refund.paid.v1"
CUSTOMER_REGISTERED = "customers.customer.registered.v1"

QUANTITY_MAX = 2**31 - 1
FEN_MAX = 10**15
_ID = validate.Length(1, 128)
_FEN = validate.Range(0, FEN_MAX)


class _SoldLine(Schema):
    class Meta:
        unknown = EXCLUDE

    line_id = fields.String(required=True, validate=_ID)
    product_id = fields.String(required=True, validate=_ID)
    category = fields.String(required=True, validate=_ID)
    temp_class = fields.String(
        required=True, validate=validate.OneOf(["normal", "cool", "cold_2_8", "frozen"])
    )
    lot = fields.String(required=True, validate=_ID)
    expiry = fields.Date(required=True)
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(1, QUANTITY_MAX))
    net_fen = fields.Integer(required=True, strict=True, validate=_FEN)
    tax_fen = fields.Integer(required=True, strict=True, validate=_FEN)
    cost_fen = fields.Integer(required=True, strict=True, validate=_FEN)


class SalePosted(Schema):
    """What is read of SALE_POSTED."""

    class Meta:
        unknown = EXCLUDE

    sale_id = fields.String(required=True, validate=_ID)
    receipt_number = fields.String(required=True, validate=_ID)
    branch_id = fields.String(required=True, validate=_ID)
    customer_id = fields.String(required=True, allow_none=True, validate=_ID)
    business_date = fields.Date(required=True, validate=validate.Range(date(2000, 1, 1), date(2099, 12, 31)))
    sold_at = fields.AwareDateTime(required=True)
    lines = fields.List(fields.Nested(_SoldLine), required=True)


class CustomerRegistered(Schema):
    """What is read of CUSTOMER_REGISTERED."""

    class Meta:
        unknown = EXCLUDE

    customer_id = fields.String(required=True, validate=_ID)
    kind = fields.String(required=True, validate=_ID)


class RefundPaid(Schema):
    """What is read of REFUND_PAID."""

    class Meta:
        unknown = EXCLUDE

    refund_id = fields.String(required=True, validate=_ID)
    return_id = fields.UUID(required=True)
    total_fen = fields.Integer(required=True, strict=True, validate=_FEN)
