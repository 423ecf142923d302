"""JSON out of the feedback ledger."""

from marshmallow import Schema, fields

from service_desk.feedback.model import LedgerState
from service_desk.kernel.fields import BranchFilters, one_of


class CountView(Schema):
    channel = fields.String()
    kind = fields.String()
    records = fields.Integer()


class LedgerHeadView(Schema):
    id = fields.UUID(data_key="ledger_id")
    branch_id = fields.String()
    month = fields.Date()
    state = fields.String()
    compiled_by = fields.String()
    compiled_at = fields.AwareDateTime()
    records = fields.Integer()
    late_records = fields.Integer()
    entries_hash = fields.String()
    signed_by = fields.String(allow_none=True)
    signed_at = fields.AwareDateTime(allow_none=True)
    closed_by = fields.String(allow_none=True)
    closed_at = fields.AwareDateTime(allow_none=True)
    due_on = fields.Date(allow_none=True)
    on_time = fields.Boolean(allow_none=True)


class LedgerView(LedgerHeadView):
    awaits_calendar_of = fields.Integer(allow_none=True)
    counts = fields.List(fields.Nested(CountView))


class LedgersArgs(BranchFilters):
    state = one_of(LedgerState)


class LedgerPage(Schema):
    items = fields.List(fields.Nested(LedgerHeadView))
    next_cursor = fields.String(allow_none=True)


class EntryView(Schema):
    id = fields.UUID(data_key="entry_id")
    ticket_id = fields.UUID()
    number = fields.String()
    month = fields.Date()
    taken_on = fields.Date()
    addendum = fields.Boolean()
    channel = fields.String()
    kind = fields.String()
    severity = fields.String()
    customer_id = fields.String(allow_none=True)
    product_id = fields.String(allow_none=True)
    lot = fields.String(allow_none=True)
    state = fields.String()
    cause = fields.String(allow_none=True)
    fault = fields.String(allow_none=True)
    resolved_at = fields.AwareDateTime(allow_none=True)


class EntryPage(Schema):
    items = fields.List(fields.Nested(EntryView))
    next_cursor = fields.String(allow_none=True)
