"""JSON in and out of metrics."""

from marshmallow import Schema, fields, validate

from reporting.kernel.fields import BranchArgs, MonthField


class ScopeArgs(BranchArgs):
    month = MonthField(required=True)


class MetricFigures(Schema):
    code = fields.String()
    version = fields.String(metadata={"description": "Which version of the metric's definition it is."})
    month = MonthField()
    branch_id = fields.String(allow_none=True)
    numerator = fields.Integer()
    denominator = fields.Integer()
    value_bp = fields.Integer(
        allow_none=True,
        metadata={"description": "In basis points: 10000 are 100 %; null when the denominator is 0."},
    )
    n = fields.Integer()
    low_sample = fields.Boolean()
    detail = fields.Dict(keys=fields.String())


class MetricView(MetricFigures):
    state = fields.String(validate=validate.OneOf(("open", "closed")))
    frozen_at = fields.AwareDateTime(allow_none=True)
    revised = fields.Nested(
        MetricFigures,
        allow_none=True,
        metadata={"description": "The figure with facts that came late; null when none did."},
    )
