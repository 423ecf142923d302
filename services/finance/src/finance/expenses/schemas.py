"""The shapes of requests and answers of expenses."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from finance.expenses.rules import Claimed, Item
from finance.kernel.fields import (
    BRANCH,
    EXPENSE_CATEGORY,
    INVOICE_WORDS,
    MAYBE_REASON,
    MONTH,
    OPTIONAL_CODE,
    OPTIONAL_NAME,
)
from shared import words
from shared.decisions import DecisionField
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY, maybe_line

INVOICE = validate.Regexp(r"\A[0-9A-Z]{4,40}\Z", error=INVOICE_WORDS)
ID = validate.Regexp(r"\A[A-Za-z0-9._:@\-]{1,64}\Z", error=words.PERSON)
STATES = (
    "draft",
    "awaiting_budget",
    "submitted",
    "manager_approved",
    "finance_audited",
    "approved",
    "paid",
    "rejected",
)


def _text(longest: int, **kwargs: object) -> fields.String:
    return fields.String(validate=maybe_line(longest), **kwargs)  # type: ignore[arg-type]


class ExpenseItemBody(Schema):
    """One invoice. `amount` holds the `tax`; attendees are ids of customers or staff, never names."""

    category = fields.String(required=True, validate=EXPENSE_CATEGORY, metadata={"example": "travel"})
    amount = MoneyField(required=True, minimum_fen=1)
    tax = MoneyField(load_default=0, minimum_fen=0)
    invoice_no = fields.String(required=True, validate=INVOICE, metadata={"example": "24312000000012345678"})
    spent_on = fields.Date(validate=DAY, required=True)
    attendees = fields.List(fields.String(validate=ID), load_default=list, validate=validate.Length(0, 50))


class ExpenseClaimBody(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    department = fields.String(load_default="", validate=OPTIONAL_NAME)
    campaign = fields.String(load_default="", validate=OPTIONAL_CODE)
    purpose = _text(200, required=True)
    items = fields.List(fields.Nested(ExpenseItemBody), required=True, validate=validate.Length(1, 100))

    @post_load
    def _claimed(self, data: dict[str, Any], **_: Any) -> Claimed:
        items = [
            Item(
                no=no,
                category=row["category"],
                amount_fen=row["amount"],
                tax_fen=row["tax"],
                invoice_no=row["invoice_no"],
                spent_on=row["spent_on"],
                attendees=row["attendees"],
            )
            for no, row in enumerate(data.pop("items"), 1)
        ]
        return Claimed(items=items, **data)


class AuditFindingBody(Schema):
    """`accepted` goes with `reduce`; `reason` with `reduce` and `refuse`."""

    no = fields.Integer(required=True, strict=True, validate=validate.Range(1, 100))
    outcome = fields.String(required=True, validate=validate.OneOf(["accept", "reduce", "refuse"]))
    accepted = MoneyField(load_default=None, allow_none=True, minimum_fen=1)
    reason = fields.String(load_default=None, allow_none=True, validate=MAYBE_REASON)


class ClaimAuditBody(Schema):
    """Items without a finding are accepted as claimed."""

    findings = fields.List(
        fields.Nested(AuditFindingBody), load_default=list, validate=validate.Length(0, 100)
    )


class ExpensePaymentBody(Schema):
    paid_from = fields.String(required=True, validate=validate.OneOf(["bank", "cash_on_hand"]))


class ExpenseItemView(Schema):
    no = fields.Integer()
    category = fields.String()
    amount_fen = MoneyField(data_key="amount")
    tax_fen = MoneyField(data_key="tax")
    invoice_no = fields.String()
    spent_on = fields.Date()
    attendees = fields.List(fields.String())
    accepted_fen = MoneyField(data_key="accepted", allow_none=True)
    accepted_tax_fen = MoneyField(data_key="accepted_tax", allow_none=True)
    audit_reason = fields.String(allow_none=True)
    budget_id = fields.UUID(allow_none=True)


class ExpenseDecisionView(Schema):
    matter = fields.String()
    role = fields.String()
    person = fields.String()
    approved = DecisionField(data_key="decision")
    reason = fields.String(allow_none=True)
    at = fields.AwareDateTime()


class ClaimWarningView(Schema):
    """What would stand in the way of a draft: `code` is that of the refusal."""

    no = fields.Integer()
    code = fields.String()
    budget_id = fields.UUID(allow_none=True)


class ExpenseClaimHeadView(Schema):
    claim_id = fields.UUID()
    branch_id = fields.String()
    department = fields.String()
    campaign = fields.String()
    claimant = fields.String()
    purpose = fields.String()
    state = fields.String(validate=validate.OneOf(STATES))
    claimed_fen = MoneyField(data_key="claimed")
    accepted_fen = MoneyField(data_key="accepted", allow_none=True)
    hit = fields.Boolean(allow_none=True)
    created_at = fields.AwareDateTime()
    submitted_at = fields.AwareDateTime(allow_none=True)
    audited_at = fields.AwareDateTime(allow_none=True)
    booked_on = fields.Date(allow_none=True)
    paid_on = fields.Date(allow_none=True)
    paid_from = fields.String(allow_none=True)
    paid_by = fields.String(allow_none=True)


class ExpenseClaimView(ExpenseClaimHeadView):
    items = fields.List(fields.Nested(ExpenseItemView))
    decisions = fields.List(fields.Nested(ExpenseDecisionView))
    warnings = fields.List(fields.Nested(ClaimWarningView))


class ClaimsArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))


class ExpenseClaimsPage(Schema):
    items = fields.List(fields.Nested(ExpenseClaimHeadView))
    next_cursor = fields.String(allow_none=True)


class FiguresArgs(Schema):
    month = fields.String(required=True, validate=MONTH, metadata={"example": "2026-11"})
    branch_id = fields.String(load_default=None, validate=BRANCH)


class AuditFiguresView(Schema):
    audited = fields.Integer()
    hits = fields.Integer()
    hit_rate_bp = fields.Integer(allow_none=True)
    claimed_fen = MoneyField(data_key="claimed")
    accepted_fen = MoneyField(data_key="accepted")
    taken_off_fen = MoneyField(data_key="taken_off")
