"""JSON in and out of sales targets."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH, MONTH
from finance.kernel.receipt import Channel
from shared import words
from shared.money import MoneyField
from shared.validators import DAY, maybe_line

OPTIONAL_ID = validate.Regexp(r"\A[A-Za-z0-9._:@\-]{0,64}\Z", error=words.PERSON)


class SalesTargetBody(Schema):
    """`person` and `channel` left empty: of the whole branch, of every channel."""

    branch_id = fields.String(required=True, validate=BRANCH)
    person = fields.String(load_default="", validate=OPTIONAL_ID)
    channel = fields.String(load_default="", validate=validate.OneOf(["", *(each.value for each in Channel)]))
    month = fields.String(required=True, validate=MONTH)
    net = MoneyField(required=True, minimum_fen=0)
    strategy = fields.String(validate=maybe_line(1000), load_default="")


class SalesTargetChangeBody(Schema):
    net = MoneyField(required=True, minimum_fen=0)
    strategy = fields.String(validate=maybe_line(1000), load_default="")


class SalesTargetIdView(Schema):
    target_id = fields.UUID()


class SalesTargetView(Schema):
    target_id = fields.UUID()
    month = fields.String()
    person = fields.String()
    channel = fields.String()
    net_fen = MoneyField(data_key="net")
    strategy = fields.String()
    version = fields.Integer()
    set_by = fields.String()


class YearArgs(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    year = fields.Integer(required=True, validate=validate.Range(2000, 2099))


class YearPlanView(Schema):
    """`net` sums the targets of the whole branch."""

    branch_id = fields.String()
    year = fields.Integer()
    net_fen = MoneyField(data_key="net")
    items = fields.List(fields.Nested(SalesTargetView))


class ProgressArgs(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    month = fields.String(required=True, validate=MONTH)


class ProgressRow(Schema):
    target_id = fields.UUID()
    person = fields.String()
    channel = fields.String()
    strategy = fields.String()
    target_fen = MoneyField(data_key="target")
    actual_fen = MoneyField(data_key="actual")
    reached_bp = fields.Integer(allow_none=True)


class ReportedRow(Schema):
    person = fields.String()
    days = fields.Integer()
    days_on_time = fields.Integer()
    reported_fen = MoneyField(data_key="reported")
    posted_fen = MoneyField(data_key="posted")
    visits = fields.Integer()


class ProgressView(Schema):
    branch_id = fields.String()
    targets = fields.List(fields.Nested(ProgressRow))
    reports = fields.List(fields.Nested(ReportedRow))


class SalesReportBody(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    day = fields.Date(validate=DAY, required=True)
    net = MoneyField(required=True, minimum_fen=0)
    visits = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 100_000))


class SalesReportedView(Schema):
    day = fields.Date()
