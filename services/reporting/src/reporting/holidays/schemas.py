"""JSON of notices of holidays and of the calendar. Bodies refuse unknown fields."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from shared.holidays import DAYS_MAX
from shared.paging import PageArgs
from shared.texts import FIRST_DAY, LAST_DAY, Lot
from shared.validators import DAY, of

WORKDAYS_MAX = 366
STATES = ("pending", "approved", "rejected")
YEAR = validate.Range(FIRST_DAY.year, LAST_DAY.year)


def _days() -> fields.List[Any]:
    return fields.List(fields.Date(validate=DAY), load_default=list, validate=validate.Length(max=DAYS_MAX))


class HolidayNoticeBody(Schema):
    """`year` with its whole table, or null with the single days that change."""

    reference = fields.String(required=True, validate=of(Lot), metadata={"example": "国办发明电〔2026〕9号"})
    announced_on = fields.Date(required=True, validate=DAY)
    year = fields.Integer(required=True, allow_none=True, strict=True, validate=YEAR)
    rest_days = _days()
    workdays = _days()

    @validates_schema
    def _each_day_once(self, data: dict[str, Any], **_: Any) -> None:
        told = [*data["rest_days"], *data["workdays"]]
        if not told:
            raise ValidationError("tell at least one day", "rest_days")
        if len(set(told)) != len(told):
            raise ValidationError("a day is told twice", "workdays")


class HolidayNoticeView(Schema):
    holiday_notice_id = fields.UUID(required=True, attribute="id")
    reference = fields.String(required=True)
    announced_on = fields.Date(required=True)
    year = fields.Integer(required=True, allow_none=True)
    rest_days = fields.List(fields.Date(), required=True)
    workdays = fields.List(fields.Date(), required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    number = fields.Integer(required=True, allow_none=True)
    entered_by = fields.String(required=True)
    entered_at = fields.AwareDateTime(required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    decided_reason = fields.String(required=True, allow_none=True)


class HolidayNoticeFilters(PageArgs):
    state = fields.String(validate=validate.OneOf(STATES))
    year = fields.Integer(validate=YEAR)


class HolidayNoticePage(Schema):
    items = fields.List(fields.Nested(HolidayNoticeView), required=True)
    next_cursor = fields.String(allow_none=True)


class WorkdayArgs(Schema):
    """`from` to `until`, both included, at most WORKDAYS_MAX days."""

    first = fields.Date(required=True, data_key="from", validate=DAY)
    until = fields.Date(required=True, validate=DAY)

    @validates_schema
    def _is_short(self, data: dict[str, Any], **_: Any) -> None:
        if not 0 <= (data["until"] - data["first"]).days < WORKDAYS_MAX:
            raise ValidationError("must be 0 to 365 days after `from`", "until")


class WorkdayView(Schema):
    day = fields.Date(required=True)
    is_workday = fields.Boolean(required=True, allow_none=True)


class WorkdayList(Schema):
    items = fields.List(fields.Nested(WorkdayView), required=True)
