"""The shapes of the bookkeepers' requests and answers."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from finance.kernel.fields import BRANCH, MONTH, OPTIONAL_CODE, OPTIONAL_NAME, TEXT
from finance.vouchers.model import Draft
from finance.vouchers.rules import VoucherLine
from shared import words
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY

ACCOUNT = validate.Regexp(r"\A[0-9]{4}(\.[0-9]{2}){0,3}\Z", error=words.ACCOUNT)
LINES_MAX = 200


class VoucherLineBody(Schema):
    """One side has an amount, the other is left out."""

    account = fields.String(required=True, validate=ACCOUNT, metadata={"example": "1002"})
    debit = MoneyField(minimum_fen=0, load_default=0, metadata={"default": {"fen": 0, "currency": "CNY"}})
    credit = MoneyField(minimum_fen=0, load_default=0, metadata={"default": {"fen": 0, "currency": "CNY"}})
    customer_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"description": "Who owes it; in an opening, on 1122 alone."},
    )
    due_on = fields.Date(
        validate=DAY,
        load_default=None,
        allow_none=True,
        metadata={"description": "The day on which it is due, beside `customer_id`."},
    )


class VoucherBody(Schema):
    booked_on = fields.Date(validate=DAY, required=True)
    branch_id = fields.String(required=True, validate=BRANCH)
    summary = fields.String(
        required=True, validate=TEXT, metadata={"description": "What it is about (摘要)."}
    )
    department = fields.String(
        load_default="",
        validate=OPTIONAL_NAME,
        metadata={"description": "The department whose budget it draws on."},
    )
    campaign = fields.String(
        load_default="", validate=OPTIONAL_CODE, metadata={"description": "The plan whose budget pays."}
    )
    lines = fields.List(fields.Nested(VoucherLineBody), required=True, validate=validate.Length(2, LINES_MAX))

    @post_load
    def _draft(self, data: dict[str, Any], **_: Any) -> Draft:
        lines = [
            VoucherLine(row["account"], row["debit"], row["credit"], row["customer_id"], row["due_on"])
            for row in data.pop("lines")
        ]
        return Draft(lines=lines, **data)


class VoucherLineView(Schema):
    account = fields.String()
    debit_fen = MoneyField(data_key="debit")
    credit_fen = MoneyField(data_key="credit")
    customer_id = fields.UUID(allow_none=True)
    due_on = fields.Date(allow_none=True)


class VoucherView(Schema):
    voucher_id = fields.UUID()
    state = fields.String()
    booked_on = fields.Date()
    branch_id = fields.String()
    summary = fields.String()
    department = fields.String()
    campaign = fields.String()
    lines = fields.List(fields.Nested(VoucherLineView))
    total_fen = MoneyField(data_key="total")
    drafted_by = fields.String()
    drafted_at = fields.AwareDateTime()
    decided_by = fields.String(allow_none=True)
    decided_at = fields.AwareDateTime(allow_none=True)
    decided_reason = fields.String(allow_none=True)


class VoucherWarningView(Schema):
    """What would stand in the way of a draft: `code` is that of the refusal."""

    code = fields.String()
    category = fields.String(allow_none=True)
    budget_id = fields.UUID(allow_none=True)


class VoucherDetailView(VoucherView):
    warnings = fields.List(fields.Nested(VoucherWarningView))


class VouchersArgs(PageArgs):
    month = fields.String(load_default=None, validate=MONTH)
    state = fields.String(load_default=None, validate=validate.OneOf(["draft", "posted", "rejected"]))
    waits_for = fields.String(load_default=None, validate=validate.OneOf(["overrun"]))
    branch_id = fields.String(load_default=None, validate=BRANCH)

    @validates_schema
    def _may_wait(self, data: dict[str, Any], **_: Any) -> None:
        if data["waits_for"] and data["state"] not in {None, "draft"}:
            raise ValidationError("only drafts wait", "waits_for")


class VouchersPage(Schema):
    items = fields.List(fields.Nested(VoucherView))
    next_cursor = fields.String(allow_none=True)


class ReasonBody(Schema):
    reason = fields.String(required=True, validate=TEXT)


class ReversalView(Schema):
    entry_id = fields.Integer()
    entry_booked_on = fields.Date()
    reversal_id = fields.UUID()
    booked_on = fields.Date()
    reason = fields.String()
    reversed_by = fields.String()
    reversed_at = fields.AwareDateTime()


class YearTransferView(Schema):
    """Profits are positive: `profit` is what all transfers of the year moved, `distribution` what stands there now."""

    year = fields.Integer()
    entries = fields.Integer()
    profit_fen = MoneyField(data_key="profit")
    distribution_fen = MoneyField(data_key="distribution")


class SpanArgs(Schema):
    from_month = fields.String(required=True, validate=MONTH, metadata={"example": "2026-01"})
    until_month = fields.String(required=True, validate=MONTH, metadata={"example": "2026-12"})
    branch_id = fields.String(load_default=None, validate=BRANCH)

    @validates_schema
    def _in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["from_month"] > data["until_month"]:
            raise ValidationError("until_month is before from_month", "until_month")


class IncomeLineView(Schema):
    line = fields.String()
    zh = fields.String()
    en = fields.String()
    fen = MoneyField(data_key="amount")
    leaf = fields.Boolean()


class IncomeView(Schema):
    """Live figures; the frozen statement is prepared of a closed month."""

    from_month = fields.String()
    until_month = fields.String()
    branch_id = fields.String(allow_none=True)
    lines = fields.List(fields.Nested(IncomeLineView))


class LedgerAccountView(Schema):
    """`by_hand` says whether a manual voucher may name it: a leaf that no sub-ledger explains."""

    account = fields.String()
    zh = fields.String()
    en = fields.String()
    type = fields.String()
    leaf = fields.Boolean()
    by_hand = fields.Boolean()


class LedgerAccountsView(Schema):
    standard = fields.String(metadata={"description": "`cas` 企业会计准则 or `small` 小企业会计准则."})
    begins_on = fields.Date()
    items = fields.List(fields.Nested(LedgerAccountView))
