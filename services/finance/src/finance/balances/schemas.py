"""What the route of the trial balance takes and answers."""

from marshmallow import Schema, fields

from finance.kernel.fields import BRANCH
from shared.money import MoneyField


class BranchArgs(Schema):
    branch_id = fields.String(load_default=None, validate=BRANCH)


class BalanceRow(Schema):
    account = fields.String()
    zh = fields.String()
    en = fields.String()
    opening_fen = MoneyField(data_key="opening")
    debit_fen = MoneyField(data_key="debit")
    credit_fen = MoneyField(data_key="credit")
    closing_fen = MoneyField(data_key="closing")


class TrialBalanceView(Schema):
    """Openings and closings are debit less credit: negative where the credit side is larger."""

    month = fields.String()
    branch_id = fields.String(allow_none=True)
    state = fields.String()
    rows = fields.List(fields.Nested(BalanceRow))
    debit_fen = MoneyField(data_key="debit")
    credit_fen = MoneyField(data_key="credit")
