"""JSON of trainings."""

from marshmallow import Schema, fields, validate

from reporting.organisation import StaffId
from reporting.training.rules import Result
from shared.paging import PageArgs
from shared.texts import Name, Reference
from shared.validators import ANY_DAY, DAY, of

OUTCOMES = ("unchanged", "recorded", "refused")
RESULTS = [each.value for each in Result]


class TrainingBody(Schema):
    """Somebody was trained in a topic; `valid_until` is the last day on which it counts, null where it does not run out."""

    training_record_id = fields.String(required=True, validate=of(Reference))
    staff_id = fields.String(required=True, validate=of(StaffId))
    topic = fields.String(required=True, validate=of(Name))
    trained_on = fields.Date(required=True, validate=ANY_DAY)
    valid_until = fields.Date(load_default=None, allow_none=True, validate=ANY_DAY)
    result = fields.String(required=True, validate=validate.OneOf(RESULTS))


class TrainingOutcome(Schema):
    training_record_id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(OUTCOMES))


class TrainingLine(Schema):
    """One line of the answer to an upload; `code`, `detail` and `errors` tell why a row is refused."""

    line = fields.Integer()
    training_record_id = fields.String(allow_none=True)
    state = fields.String(validate=validate.OneOf(OUTCOMES))
    code = fields.String()
    detail = fields.String()
    errors = fields.List(fields.Dict())


class TrainingView(Schema):
    training_record_id = fields.String(required=True)
    staff_id = fields.String(required=True)
    topic = fields.String(required=True)
    trained_on = fields.Date(required=True)
    valid_until = fields.Date(required=True, allow_none=True)
    result = fields.String(required=True, validate=validate.OneOf(RESULTS))
    recorded_by = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)


class TrainingPage(Schema):
    items = fields.List(fields.Nested(TrainingView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class TrainingArgs(PageArgs):
    staff_id = fields.String(load_default=None, validate=of(StaffId))
    topic = fields.String(load_default=None, validate=of(Name))
    result = fields.String(load_default=None, validate=validate.OneOf(RESULTS))


class OverdueTrainingView(Schema):
    """The last training that counted, which has run out."""

    staff_id = fields.String(required=True)
    topic = fields.String(required=True)
    trained_on = fields.Date(required=True)
    valid_until = fields.Date(required=True)


class OverdueTrainingPage(Schema):
    items = fields.List(fields.Nested(OverdueTrainingView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class OverdueTrainingArgs(PageArgs):
    day = fields.Date(
        load_default=None,
        validate=DAY,
        metadata={"description": "Run out before this day; today when left out."},
    )
    staff_id = fields.String(load_default=None, validate=of(StaffId))
    topic = fields.String(load_default=None, validate=of(Name))
