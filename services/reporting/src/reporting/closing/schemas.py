"""JSON out: months and their close."""

from marshmallow import Schema, fields, validate

from reporting.kernel.fields import MonthField


class MonthClose(Schema):
    month = MonthField()
    state = fields.String(validate=validate.OneOf(("open", "closed")))
    closed_at = fields.AwareDateTime(allow_none=True)
    closed_by = fields.String(allow_none=True)
    content_hash = fields.String(allow_none=True)
    watermarks = fields.Dict(keys=fields.String(), values=fields.Integer(), allow_none=True)


class Months(Schema):
    items = fields.List(fields.Nested(MonthClose))
