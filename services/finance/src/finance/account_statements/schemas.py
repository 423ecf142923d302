"""Statements of account in JSON."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH, DAY_DOC, REASON
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY


class CustomerStatementBody(Schema):
    customer_id = fields.UUID(required=True)
    as_of = fields.Date(required=True, validate=DAY, metadata=DAY_DOC)


class CustomerStatementSentBody(Schema):
    channel = fields.String(required=True, validate=validate.OneOf(["letter", "email", "wechat", "visit"]))


class CustomerStatementAnswerBody(Schema):
    item_id = fields.UUID(required=True)
    answer = fields.String(required=True, validate=validate.OneOf(["confirmed", "disputed"]))
    reason = fields.String(load_default=None, validate=REASON)


class CustomerStatementAnswersBody(Schema):
    """Every item of the statement, once. `contact_id` names who answered."""

    contact_id = fields.UUID(load_default=None)
    answers = fields.List(
        fields.Nested(CustomerStatementAnswerBody), required=True, validate=validate.Length(1, 5_000)
    )


class CustomerStatementItemView(Schema):
    item_id = fields.UUID()
    branch_id = fields.String()
    kind = fields.String()
    booked_on = fields.Date()
    due_on = fields.Date()
    amount_fen = MoneyField(data_key="amount")
    open_fen = MoneyField(data_key="open")
    answer = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)


class CustomerStatementHead(Schema):
    statement_id = fields.UUID(data_key="customer_statement_id")
    customer_id = fields.UUID()
    as_of = fields.Date()
    branches = fields.List(fields.String())
    state = fields.String()
    total_fen = MoneyField(data_key="total")
    content_hash = fields.String()
    issued_by = fields.String()
    issued_at = fields.AwareDateTime()
    channel = fields.String(allow_none=True)
    sent_at = fields.AwareDateTime(allow_none=True)
    contact_id = fields.UUID(allow_none=True)
    answered_at = fields.AwareDateTime(allow_none=True)


class CustomerStatementView(CustomerStatementHead):
    items = fields.List(fields.Nested(CustomerStatementItemView))


class CustomerStatementsArgs(PageArgs):
    customer_id = fields.UUID(load_default=None)
    branch_id = fields.String(load_default=None, validate=BRANCH)


class CustomerStatementsPage(Schema):
    items = fields.List(fields.Nested(CustomerStatementHead))
    next_cursor = fields.String(allow_none=True)
