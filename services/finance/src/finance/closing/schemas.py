"""What routes of months take and answer."""

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


class PeriodView(Schema):
    month = fields.String()
    state = fields.String()
    closed_by = fields.String(allow_none=True)
    closed_at = fields.AwareDateTime(allow_none=True)
    locked_by = fields.String(allow_none=True)
    locked_at = fields.AwareDateTime(allow_none=True)
    late_days = fields.Integer(
        allow_none=True, metadata={"description": "Days after the calendar's last; null while open."}
    )


class PeriodObstacle(Schema):
    """`code` and `about` are those of the refusal that closing would answer with."""

    code = fields.String()
    detail = fields.String()
    about = fields.Dict()


class PeriodObstaclesView(Schema):
    """`obstacles` is empty when the month can be closed, or is closed."""

    month = fields.String()
    state = fields.String()
    closes_from = fields.Date()
    obstacles = fields.List(fields.Nested(PeriodObstacle))
    warnings = fields.List(
        fields.Nested(PeriodObstacle),
        metadata={"description": "What cannot be and yet stops no closing, such as negative inventory."},
    )


class ClosedPeriodView(PeriodView):
    warnings = fields.List(
        fields.Nested(PeriodObstacle),
        metadata={"description": "What cannot be and yet stopped no closing, such as negative inventory."},
    )


class PeriodsList(Schema):
    items = fields.List(fields.Nested(PeriodView))
