"""JSON in and out of bank accounts and their statements."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH
from shared import words
from shared.money import MoneyField
from shared.validators import line

TEXT = line(100)


class BankAccountBody(Schema):
    """Without `branch_id` the account is the chain's. The first account registered is the main one."""

    name = fields.String(required=True, validate=TEXT)
    bank = fields.String(required=True, validate=TEXT)
    number = fields.String(
        required=True,
        validate=validate.Regexp(
            r"\A[A-Za-z0-9０-９Ａ-Ｚａ-ｚ][A-Za-z0-9０-９Ａ-Ｚａ-ｚ .\-　－]{3,39}\Z", error=words.BANK_NUMBER
        ),
    )
    branch_id = fields.String(load_default=None, allow_none=True, validate=BRANCH)


class BankAccountView(BankAccountBody):
    account_id = fields.UUID()
    is_main = fields.Boolean()
    registered_by = fields.String()
    registered_at = fields.AwareDateTime()
    last_day = fields.Date(allow_none=True, data_key="closed_on")
    closed_by = fields.String(allow_none=True)
    closed_at = fields.AwareDateTime(allow_none=True)


class BankAccountsList(Schema):
    items = fields.List(fields.Nested(BankAccountView))


class BankStatementView(Schema):
    statement_id = fields.UUID(data_key="bank_statement_id")
    account_id = fields.UUID()
    number = fields.String()
    format = fields.String()
    from_on = fields.Date(data_key="from")
    to_on = fields.Date(data_key="until")
    opening_fen = MoneyField(data_key="opening")
    closing_fen = MoneyField(data_key="closing")
    lines = fields.Integer()
    new_lines = fields.Integer()
    imported_by = fields.String()
    imported_at = fields.AwareDateTime()


class BankImportView(BankStatementView):
    """`also` are the statements of other accounts of ours in the file, `passed_over` the accounts that are not ours."""

    also = fields.List(fields.Nested(BankStatementView), required=True)
    passed_over = fields.List(fields.String(), required=True)


class BankStatementsPage(Schema):
    items = fields.List(fields.Nested(BankStatementView))
    next_cursor = fields.String(allow_none=True)
