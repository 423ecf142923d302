"""The shape of the notice in answers."""

from marshmallow import Schema, fields

from shared.money import MoneyField


class RefundNoticePart(Schema):
    tender = fields.String()
    means = fields.String()
    state = fields.String()
    fen = MoneyField(data_key="amount")


class RefundNoticeView(Schema):
    """What the customer is told: no name, no address. `words` is the amount in formal Chinese numerals."""

    refund_id = fields.UUID()
    return_id = fields.String()
    branch_id = fields.String()
    state = fields.String()
    paid_on = fields.Date(allow_none=True)
    due_on = fields.Date()
    parts = fields.List(fields.Nested(RefundNoticePart))
    total_fen = MoneyField(data_key="total")
    words = fields.String()
