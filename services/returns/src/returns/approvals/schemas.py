"""JSON of a decision."""

from marshmallow import Schema, fields

from shared.decisions import DecisionField


class DecisionView(Schema):
    role = fields.String(required=True)
    person = fields.String(required=True)
    approved = DecisionField(required=True, data_key="decision")
    reason = fields.String(required=True, allow_none=True)
    at = fields.AwareDateTime(required=True)
