"""JSON of a pickup."""

from marshmallow import Schema, fields


class PickupView(Schema):
    ordered_at = fields.AwareDateTime(required=True)
    due_at = fields.AwareDateTime(required=True, allow_none=True)
    awaits_calendar_of = fields.Integer(required=True, allow_none=True)
    confirmed_at = fields.AwareDateTime(required=True, allow_none=True)
    confirmed_by = fields.String(required=True, allow_none=True)
    on_time = fields.Boolean(required=True, allow_none=True)
    breached_at = fields.AwareDateTime(required=True, allow_none=True)
