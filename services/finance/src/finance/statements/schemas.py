"""The shapes of requests and answers about statements."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from finance.kernel.fields import LINE_WORDS, MONTH
from finance.kernel.statement import Kind, Span
from finance.statement_figures import CashClassificationBody
from finance.statements.rules import StatementState
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.shapes import SOMETIMES
from shared.validators import line

KINDS = validate.OneOf([each.value for each in Kind])
TEXT = line(500)
SPANS = validate.OneOf([each.value for each in Span])


class StatementBody(Schema):
    """`month` is the last one of the span."""

    kind = fields.String(required=True, validate=KINDS)
    span = fields.String(load_default=Span.MONTH.value, validate=SPANS)
    month = fields.String(required=True, validate=MONTH, metadata={"example": "2026-03"})
    classifications = fields.List(
        fields.Nested(CashClassificationBody), load_default=list, validate=validate.Length(max=200)
    )


class StatementLineView(Schema):
    row = fields.Integer(allow_none=True, metadata=SOMETIMES)
    line = fields.String()
    zh = fields.String()
    en = fields.String()
    fen = MoneyField(
        data_key="amount", allow_none=True, metadata={"description": "Of the column the statement is about."}
    )
    amounts = fields.Dict(
        keys=fields.String(), values=MoneyField(allow_none=True), metadata={"description": "Per column."}
    )
    leaf = fields.Boolean()


class StatementColumnView(Schema):
    column = fields.String()
    zh = fields.String()
    en = fields.String()
    group = fields.String(metadata=SOMETIMES)


class StatementDecisionView(Schema):
    role = fields.String()
    person = fields.String()
    at = fields.AwareDateTime()


class StatementErrorView(Schema):
    line = fields.String()
    reported_fen = MoneyField(data_key="reported")
    correct_fen = MoneyField(data_key="correct")
    cause = fields.String()
    material = fields.Boolean()


class NameView(Schema):
    zh = fields.String()
    en = fields.String()


class CompanyView(NameView):
    uscc = fields.String(allow_none=True)


class UnclassifiedView(Schema):
    column = fields.String()
    entry_kind = fields.String()
    account = fields.String()
    direction = fields.String()
    fen = MoneyField(data_key="amount")


class StatementView(Schema):
    statement_id = fields.UUID()
    kind = fields.String()
    span = fields.String()
    month = fields.String(metadata={"description": "The last one of the span."})
    first_month = fields.String(data_key="from_month")
    version = fields.Integer()
    state = fields.String()
    form = fields.String(allow_none=True)
    standard = fields.String(allow_none=True)
    title = fields.Nested(NameView, allow_none=True)
    company = fields.Nested(CompanyView, allow_none=True)
    columns = fields.List(fields.Nested(StatementColumnView))
    lines = fields.List(fields.Nested(StatementLineView))
    unclassified = fields.List(fields.Nested(UnclassifiedView))
    classifications = fields.List(fields.Nested(CashClassificationBody))
    content_hash = fields.String()
    as_of = fields.Dict(keys=fields.String(), values=fields.Integer())
    prepared_by = fields.String()
    prepared_at = fields.AwareDateTime()
    due_on = fields.Date()
    published_on = fields.Date(allow_none=True)
    on_time = fields.Boolean(allow_none=True)
    withdrawn_by = fields.String(allow_none=True)
    withdrawn_reason = fields.String(allow_none=True)
    decisions = fields.List(fields.Nested(StatementDecisionView))
    errors = fields.List(fields.Nested(StatementErrorView))


class StatementsArgs(PageArgs):
    month = fields.String(load_default=None, validate=MONTH)
    state = fields.String(load_default=None, validate=validate.OneOf([each.value for each in StatementState]))
    kind = fields.String(load_default=None, validate=KINDS)
    span = fields.String(load_default=None, validate=SPANS)


class StatementsPage(Schema):
    items = fields.List(fields.Nested(StatementView))
    next_cursor = fields.String(allow_none=True)


class WithdrawBody(Schema):
    reason = fields.String(required=True, validate=TEXT)


class ErrorItemBody(Schema):
    """A leaf line with what is right in the column the statement is about; of equity a cell, `line.column`."""

    line = fields.String(
        required=True, validate=validate.Regexp(r"\A[a-z_]{1,40}(\.[a-z_]{1,40})?\Z", error=LINE_WORDS)
    )
    correct = MoneyField(required=True)


class RestateBody(Schema):
    """What was wrong: every line with its correct amount, and the cause."""

    cause = fields.String(required=True, validate=TEXT)
    errors = fields.List(fields.Nested(ErrorItemBody), required=True, validate=validate.Length(1, 100))


class ProofDifferenceView(Schema):
    line = fields.String()
    column = fields.String()
    frozen_fen = MoneyField(data_key="frozen", allow_none=True)
    proved_fen = MoneyField(data_key="proved", allow_none=True)


class ProofGapView(Schema):
    """A stream of voucher numbers that had reached `numbered`, and holds other entries than those."""

    stream = fields.String()
    numbered = fields.Integer()
    entries = fields.Integer()


class ProofView(Schema):
    statement_id = fields.UUID()
    as_of = fields.Dict(keys=fields.String(), values=fields.Integer())
    content_hash = fields.String()
    recomputed_hash = fields.String(allow_none=True)
    content_is_intact = fields.Boolean()
    agrees = fields.Boolean()
    gaps = fields.List(fields.Nested(ProofGapView))
    imbalance = fields.String(allow_none=True)
    differences = fields.List(fields.Nested(ProofDifferenceView))


class StatementCalendarArgs(Schema):
    from_month = fields.String(required=True, validate=MONTH)
    until_month = fields.String(required=True, validate=MONTH)

    @validates_schema
    def _in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["from_month"] > data["until_month"]:
            raise ValidationError("until_month is before from_month", "until_month")


class AwaitedStatementView(Schema):
    kind = fields.String()
    span = fields.String()
    month = fields.String()
    first_month = fields.String(data_key="from_month")
    due_on = fields.Date()
    state = fields.String(
        metadata={"description": "`not_closed`, `to_prepare`, or the state of the newest version."}
    )
    statement_id = fields.UUID(allow_none=True)
    version = fields.Integer(allow_none=True)
    published_on = fields.Date(allow_none=True)
    on_time = fields.Boolean(allow_none=True)
    late = fields.Boolean()


class StatementCalendar(Schema):
    items = fields.List(fields.Nested(AwaitedStatementView))
