"""The shapes of refunds in requests and answers."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH, MAYBE_REASON, NUMBER, PERSON, REASON
from finance.kernel.receipt import Tender
from finance.refunds.rules import Kind, State
from shared import words
from shared.decisions import APPROVED
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY

CODE = validate.Regexp(r"\A[a-z][a-z_]{0,39}\Z", error=words.WORD)
TENDER = validate.OneOf([each.value for each in Tender])
AT_ONCE_MAX = 500


class RefundPartView(Schema):
    """What is owed to one tender of the sale. `means` is how it is paid: the tender, or `bank` when its channel refused."""

    tender = fields.String()
    means = fields.String()
    fen = MoneyField(data_key="amount")
    reference = fields.String(allow_none=True)
    paid_on = fields.Date(allow_none=True)
    paid_by = fields.String(allow_none=True)


class RefundView(Schema):
    """`due_on` is the last day the law allows; `days_left` is below 0 when it has passed, null when nothing is owed.

    `cause_lost_on` is the day since which returns' log lacks the settlement of a refund of which money went out, null
    while it is there, and again once the return is settled anew.
    """

    refund_id = fields.UUID()
    kind = fields.String(metadata={"enum": [each.value for each in Kind]})
    return_id = fields.String(metadata={"description": "Of a void its own id."})
    sale_id = fields.UUID()
    branch_id = fields.String()
    customer_id = fields.UUID(allow_none=True)
    state = fields.String()
    version = fields.Integer()
    booked_on = fields.Date()
    settled_on = fields.Date()
    goods_back_on = fields.Date(allow_none=True)
    due_on = fields.Date()
    days_left = fields.Integer(allow_none=True)
    days_taken = fields.Integer()
    overdue = fields.Boolean()
    approved_by = fields.String(allow_none=True)
    approved_at = fields.AwareDateTime(allow_none=True)
    held_reason = fields.String(allow_none=True)
    paid_on = fields.Date(allow_none=True)
    cause_lost_on = fields.Date(allow_none=True)
    total_fen = MoneyField(data_key="total")
    unpaid_fen = MoneyField(data_key="unpaid")
    parts = fields.List(fields.Nested(RefundPartView))


class RefundLineView(Schema):
    return_line_id = fields.String()
    sale_line_id = fields.UUID()
    lot = fields.String()
    quantity = fields.Integer()
    disposition = fields.String()
    net_fen = MoneyField(data_key="net")
    tax_fen = MoneyField(data_key="tax")


class RefundStepView(Schema):
    version = fields.Integer()
    step = fields.String()
    actor = fields.String()
    at = fields.AwareDateTime()
    detail = fields.Dict()


class RefundWithSteps(RefundView):
    lines = fields.List(fields.Nested(RefundLineView))
    steps = fields.List(fields.Nested(RefundStepView))


class VoidBody(Schema):
    reason = fields.String(required=True, validate=REASON)


class RefundsArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    state = fields.String(load_default=None, validate=validate.OneOf([each.value for each in State]))
    sale_id = fields.UUID(load_default=None)
    return_id = fields.String(load_default=None, validate=PERSON)
    unpaid = fields.Boolean(load_default=False)
    overdue = fields.Boolean(load_default=False)
    cause_lost = fields.Boolean(load_default=False)


class RefundsPage(Schema):
    items = fields.List(fields.Nested(RefundView))
    next_cursor = fields.String(allow_none=True)


class RefundLiabilitiesArgs(Schema):
    """`as_of` is the day of the proof, today unless given; the states are always today's."""

    branch_id = fields.String(load_default=None, validate=BRANCH)
    as_of = fields.Date(load_default=None, validate=DAY)


class RefundStateSum(Schema):
    state = fields.String()
    refunds = fields.Integer()
    unpaid_fen = MoneyField(data_key="unpaid")
    overdue = fields.Integer()
    overdue_fen = MoneyField(data_key="overdue_amount")
    oldest_on = fields.Date(allow_none=True)


class RefundLiabilitiesView(Schema):
    branch_id = fields.String(allow_none=True)
    states = fields.List(fields.Nested(RefundStateSum))
    as_of = fields.Date()
    account = fields.String()
    ledger_fen = MoneyField(data_key="ledger")
    unpaid_fen = MoneyField(data_key="unpaid")
    agrees = fields.Boolean()


class _Approved(Schema):
    """A refund is approved or held (`…/hold`), never rejected: what was accepted is owed."""

    decision = fields.String(required=True, validate=validate.OneOf((APPROVED,)))
    reason = fields.String(load_default=None, allow_none=True, validate=MAYBE_REASON)


class RefundDecisionBody(_Approved):
    """`by_bank` names tenders whose channel refused: they are paid by bank transfer instead."""

    by_bank = fields.List(fields.String(validate=TENDER), load_default=list, validate=validate.Length(max=8))


class RefundDecisionsBody(_Approved):
    refund_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, AT_ONCE_MAX))


class RefundReasonBody(Schema):
    reason = fields.String(required=True, validate=REASON)


class RefundPaymentBody(Schema):
    """`reference` is the channel's; cash, credit and points have none."""

    tender = fields.String(required=True, validate=TENDER)
    reference = fields.String(load_default=None, allow_none=True, validate=NUMBER)


class RefundPayBody(Schema):
    """`paid_on` is today unless given."""

    parts = fields.List(fields.Nested(RefundPaymentBody), required=True, validate=validate.Length(1, 8))
    paid_on = fields.Date(load_default=None, allow_none=True, validate=DAY)


class RefundPaymentOfOne(Schema):
    refund_id = fields.UUID(required=True)
    parts = fields.List(fields.Nested(RefundPaymentBody), required=True, validate=validate.Length(1, 8))


class RefundPaymentsBody(Schema):
    payments = fields.List(
        fields.Nested(RefundPaymentOfOne), required=True, validate=validate.Length(1, AT_ONCE_MAX)
    )
    paid_on = fields.Date(load_default=None, allow_none=True, validate=DAY)


class CashRefundBody(Schema):
    refund_id = fields.UUID(required=True)


class RefundFailureBody(Schema):
    """`reason` is one of data/refund_failures.json."""

    tender = fields.String(required=True, validate=TENDER)
    reason = fields.String(required=True, validate=CODE)


class RefundResult(Schema):
    """`code` is null where it was done, else why it was refused."""

    refund_id = fields.UUID()
    code = fields.String(allow_none=True)
    detail = fields.String(allow_none=True)


class RefundResults(Schema):
    items = fields.List(fields.Nested(RefundResult))
