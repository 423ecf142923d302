"""What accountants say of movements of cash that no rule knows."""

from marshmallow import Schema, fields, validate

from finance.statement_figures.rules.cash_flow import FLOWS, PAID, RECEIVED
from shared import words


class CashClassificationBody(Schema):
    """What an unclassified movement of the cash flow statement was for."""

    entry_kind = fields.String(required=True, validate=validate.Regexp(r"\A[a-z_]{1,40}\Z", error=words.WORD))
    account = fields.String(required=True, validate=validate.Regexp(r"\A[0-9.]{4,20}\Z", error=words.ACCOUNT))
    direction = fields.String(required=True, validate=validate.OneOf([RECEIVED, PAID]))
    flow = fields.String(required=True, validate=validate.OneOf(sorted(FLOWS)))
