"""JSON in and out of re-opening."""

from marshmallow import Schema, fields, validate

from shared.decisions import DecisionField
from shared.paging import PageArgs


class ReopeningDecisionView(Schema):
    role = fields.String()
    person = fields.String()
    approved = DecisionField(data_key="decision")
    reason = fields.String(allow_none=True)
    at = fields.AwareDateTime()


class ReopeningView(Schema):
    reopening_id = fields.UUID()
    month = fields.String()
    state = fields.String()
    reason = fields.String()
    requested_by = fields.String()
    requested_at = fields.AwareDateTime()
    decisions = fields.List(fields.Nested(ReopeningDecisionView))


class ReopeningsList(Schema):
    items = fields.List(fields.Nested(ReopeningView))


class ReopeningsArgs(PageArgs):
    state = fields.String(load_default=None, validate=validate.OneOf(("pending", "approved", "rejected")))


class ReopeningsPage(ReopeningsList):
    next_cursor = fields.String(allow_none=True)
