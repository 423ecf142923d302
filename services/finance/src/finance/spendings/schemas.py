"""JSON of what was spent."""

from marshmallow import Schema, fields

from finance.kernel.fields import BRANCH, MONTH
from shared.money import MoneyField


class SpendingArgs(Schema):
    month = fields.String(required=True, validate=MONTH, metadata={"example": "2026-11"})
    branch_id = fields.String(load_default=None, validate=BRANCH)


class SpendingRowView(Schema):
    """`booked` is what the ledger spent on the category's account; `unbudgeted` of it drew on no budget."""

    branch_id = fields.String()
    category = fields.String()
    account = fields.String()
    booked_fen = MoneyField(data_key="booked")
    drawn_fen = MoneyField(data_key="drawn")
    unbudgeted_fen = MoneyField(data_key="unbudgeted")


class SpendingView(Schema):
    items = fields.List(fields.Nested(SpendingRowView))
