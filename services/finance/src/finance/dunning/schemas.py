"""Cases and letters in JSON."""

from marshmallow import Schema, fields, validate

from finance.dunning.rules import CaseState, Outcome
from finance.kernel.fields import BRANCH, DAY_DOC, NUMBER, REASON, DaysArgs
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY

CHANNELS = ["phone", "letter", "lawyer_letter", "lawsuit", "arbitration", "visit", "wechat", "email"]


class DunningCaseView(Schema):
    case_id = fields.UUID()
    item_id = fields.UUID()
    customer_id = fields.UUID()
    branch_id = fields.String()
    state = fields.String()
    level = fields.Integer()
    done_level = fields.Integer()
    next_on = fields.Date(allow_none=True)
    due_on = fields.Date()
    open_fen = MoneyField(data_key="open")
    promise_fen = MoneyField(allow_none=True, data_key="promised")
    promise_on = fields.Date(allow_none=True)
    promises_broken = fields.Integer()
    reason = fields.String(allow_none=True)
    opened_on = fields.Date()
    closed_on = fields.Date(allow_none=True)


class DunningActionView(Schema):
    action_id = fields.UUID()
    level = fields.Integer()
    channel = fields.String()
    outcome = fields.String()
    contact_id = fields.UUID(allow_none=True)
    text_version = fields.String()
    promise_fen = MoneyField(allow_none=True, data_key="promised")
    promise_on = fields.Date(allow_none=True)
    letter_id = fields.UUID(allow_none=True)
    done_on = fields.Date()
    actor = fields.String()
    at = fields.AwareDateTime()


class DunningCaseWithActions(DunningCaseView):
    actions = fields.List(fields.Nested(DunningActionView))


class DunningCasesArgs(PageArgs):
    customer_id = fields.UUID(load_default=None)
    branch_id = fields.String(load_default=None, validate=BRANCH)
    state = fields.String(load_default=None, validate=validate.OneOf([each.value for each in CaseState]))


class DunningCasesPage(Schema):
    items = fields.List(fields.Nested(DunningCaseView))
    next_cursor = fields.String(allow_none=True)


class DunningPromiseBody(Schema):
    amount_fen = MoneyField(minimum_fen=1, required=True, data_key="amount")
    date = fields.Date(required=True, validate=DAY, metadata=DAY_DOC)


class DunningActionBody(Schema):
    """`text_version` is that of the script that was read; people are named by their contact id alone."""

    channel = fields.String(required=True, validate=validate.OneOf(CHANNELS))
    outcome = fields.String(required=True, validate=validate.OneOf([each.value for each in Outcome]))
    contact_id = fields.UUID(load_default=None)
    text_version = fields.String(required=True, validate=NUMBER)
    promise = fields.Nested(DunningPromiseBody, load_default=None)


class DunningLetterBody(Schema):
    customer_id = fields.UUID(required=True)
    level = fields.Integer(required=True, strict=True, validate=validate.Range(2, 3))
    language = fields.String(load_default="zh", validate=validate.OneOf(["zh", "en"]))


class DunningLetterItemView(Schema):
    item_id = fields.UUID()
    branch_id = fields.String()
    kind = fields.String()
    booked_on = fields.String()
    due_on = fields.String()
    days = fields.Integer()
    amount_fen = MoneyField(data_key="amount")
    open_fen = MoneyField(data_key="open")


class DunningLetterView(Schema):
    letter_id = fields.UUID()
    customer_id = fields.UUID()
    branches = fields.List(fields.String())
    level = fields.Integer()
    kind = fields.String()
    language = fields.String()
    text_version = fields.String()
    issued_on = fields.Date()
    total_fen = MoneyField(data_key="total")
    content_hash = fields.String()
    issued_by = fields.String()
    issued_at = fields.AwareDateTime()
    items = fields.List(fields.Nested(DunningLetterItemView))


class DunningScriptView(Schema):
    version = fields.String()
    title = fields.String()
    body = fields.List(fields.String())
    closing = fields.String()


class DunningLettersArgs(DaysArgs):
    """The days are those of issue."""

    level = fields.Integer(load_default=None, validate=validate.Range(2, 3))


class DunningLetterRow(DunningLetterView):
    """One letter; `GET /v1/dunning-letters/{letter_id}` tells its items."""

    class Meta:
        exclude = ("items", "kind")


class DunningLettersPage(Schema):
    items = fields.List(fields.Nested(DunningLetterRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ReceivableReasonBody(Schema):
    reason = fields.String(required=True, validate=REASON)


class PaperArgs(Schema):
    lang = fields.String(load_default="zh", validate=validate.OneOf(["zh", "en"]))
