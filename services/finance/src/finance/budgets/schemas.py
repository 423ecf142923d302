"""JSON in and out of budgets."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH, EXPENSE_CATEGORY, OPTIONAL_NAME
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY


class BudgetBody(Schema):
    """A budget of a branch, or of one `department` of it, for a category."""

    branch_id = fields.String(required=True, validate=BRANCH)
    department = fields.String(load_default="", validate=OPTIONAL_NAME)
    category = fields.String(required=True, validate=EXPENSE_CATEGORY)
    first_day = fields.Date(validate=DAY, required=True, data_key="from")
    last_day = fields.Date(validate=DAY, required=True, data_key="until")
    amount = MoneyField(required=True, minimum_fen=0)
    overrun = fields.String(load_default="stop", validate=validate.OneOf(["stop", "approval"]))


class BudgetChangeBody(Schema):
    amount = MoneyField(required=True, minimum_fen=0)
    overrun = fields.String(required=True, validate=validate.OneOf(["stop", "approval"]))


class BudgetView(Schema):
    budget_id = fields.UUID()
    branch_id = fields.String()
    department = fields.String()
    category = fields.String()
    campaign = fields.String()
    first_day = fields.Date(data_key="from")
    last_day = fields.Date(data_key="until")
    amount_fen = MoneyField(data_key="amount")
    reserved_fen = MoneyField(data_key="reserved")
    actual_fen = MoneyField(data_key="actual")
    available_fen = MoneyField(data_key="available")
    overrun = fields.String()


class BudgetMovementView(Schema):
    """`source_kind` is `claim`, `drawing` or the kind of the ledger's entry; what was booked has its day."""

    source_kind = fields.String()
    source_id = fields.UUID()
    reserved_fen = MoneyField(data_key="reserved")
    actual_fen = MoneyField(data_key="actual")
    category = fields.String(allow_none=True)
    booked_on = fields.Date(allow_none=True)
    actor = fields.String()
    at = fields.AwareDateTime()


class BudgetDetailView(BudgetView):
    movements = fields.List(fields.Nested(BudgetMovementView))


class BudgetsArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    day = fields.Date(validate=DAY, load_default=None)


class BudgetsPage(Schema):
    items = fields.List(fields.Nested(BudgetView))
    next_cursor = fields.String(allow_none=True)
