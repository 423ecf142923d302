"""What routes of the journal take and answer."""

from marshmallow import Schema, fields

from finance.kernel.fields import BRANCH, MONTH
from shared.money import MoneyField
from shared.paging import PageArgs


class EntriesArgs(PageArgs):
    month = fields.String(required=True, validate=MONTH)
    branch_id = fields.String(load_default=None, validate=BRANCH)


class EntryLineView(Schema):
    account = fields.String()
    customer_id = fields.UUID(allow_none=True)
    debit_fen = MoneyField(data_key="debit")
    credit_fen = MoneyField(data_key="credit")


class EntryView(Schema):
    """`voucher_no` is gap-free per book and year; it is given within seconds of the commit."""

    id = fields.Integer(data_key="entry_id")
    voucher_no = fields.Integer(allow_none=True)
    booked_on = fields.Date()
    branch_id = fields.String()
    kind = fields.String()
    source_id = fields.UUID()
    total_fen = MoneyField(data_key="total")
    reference = fields.String(allow_none=True)
    actor = fields.String()
    recorded_at = fields.AwareDateTime()
    lines = fields.List(fields.Nested(EntryLineView))


class EntriesPage(Schema):
    items = fields.List(fields.Nested(EntryView))
    next_cursor = fields.String(allow_none=True)
