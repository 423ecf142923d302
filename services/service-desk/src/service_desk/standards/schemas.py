"""JSON out of the service standards."""

from marshmallow import Schema, fields


class StandardView(Schema):
    name = fields.String()
    value = fields.Integer()
    unit = fields.String()
    effective_from = fields.Date()
    source = fields.String()
    mark = fields.String()
