"""JSON out: how complete the facts are."""

from marshmallow import Schema, fields


class SourceCompleteness(Schema):
    source = fields.String()
    contiguous_seq = fields.Integer()
    head_seq = fields.Integer()
    lag_events = fields.Integer()
    parked_events = fields.Integer()
    checked_at = fields.AwareDateTime(allow_none=True)
    halted_reason = fields.String(allow_none=True)
    halted_detail = fields.String(allow_none=True)


class Completeness(Schema):
    items = fields.List(fields.Nested(SourceCompleteness))
