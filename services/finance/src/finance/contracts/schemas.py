"""The shapes of contracts in requests and answers."""

from marshmallow import Schema, fields, validate

from finance.contract_forms import ContractContentBody, ContractContentView
from finance.contracts.rules import PARTIES
from finance.kernel.fields import BRANCH, MAYBE, REASON
from shared import words
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY

STATES = ("draft", "legal_review", "signed", "active", "fulfilled", "expired", "terminated")
SHA256 = validate.Regexp(r"\A[0-9a-f]{64}\Z", error=words.SHA256)


class ContractBody(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    customer_id = fields.UUID(required=True)
    content = fields.Nested(ContractContentBody, required=True)


class ContractRevisionBody(Schema):
    content = fields.Nested(ContractContentBody, required=True)


class ContractReasonBody(Schema):
    reason = fields.String(required=True, validate=REASON)


class ContractSignatureBody(Schema):
    """`contact_id` names the customer's signatory; ours signs in person. The hash is of the signed paper."""

    party = fields.String(required=True, validate=validate.OneOf(PARTIES))
    contact_id = fields.UUID(**MAYBE)
    signed_on = fields.Date(required=True, validate=DAY)
    file_sha256 = fields.String(required=True, validate=SHA256)


class ContractAmendmentBody(Schema):
    """The whole content as it should be, by which side it is proposed, and why."""

    proposed_side = fields.String(required=True, validate=validate.OneOf(PARTIES))
    reason = fields.String(required=True, validate=REASON)
    content = fields.Nested(ContractContentBody, required=True)


class AmendmentAnswerBody(Schema):
    """What the customer answered to an amendment, by which contact, shown by which paper."""

    answer = fields.String(required=True, validate=validate.OneOf(("accepted", "declined")))
    contact_id = fields.UUID(required=True)
    confirmed_on = fields.Date(required=True, validate=DAY)
    evidence_sha256 = fields.String(required=True, validate=SHA256)


WAITS = ("review", "signatures", "amendment_decision", "customer_confirmation", "termination_decision")


class ContractsArgs(PageArgs):
    """`late=true`: entered later than the house allows; `overdue=true`: a line is not delivered and its date passed;
    `waits_for`: contracts that are to be reviewed or, once they are, signed, whose amendment is to be decided or confirmed by the customer, or whose end was asked for.
    """

    branch_id = fields.String(validate=BRANCH, **MAYBE)
    customer_id = fields.UUID(**MAYBE)
    state = fields.String(validate=validate.OneOf(STATES), **MAYBE)
    late = fields.Boolean(**MAYBE)
    overdue = fields.Boolean(load_default=False)
    waits_for = fields.String(validate=validate.OneOf(WAITS), **MAYBE)


class ContractPaperArgs(Schema):
    """Without `version` the one in force, or the draft."""

    version = fields.Integer(validate=validate.Range(1, 100_000), **MAYBE)


# --- answers ----------------------------------------------------------------------------------------


class ContractSummary(Schema):
    """`lag_days` run from the last signature to its entry; `late` when longer than the house allows (F9)."""

    contract_id = fields.UUID()
    number = fields.String()
    branch_id = fields.String()
    customer_id = fields.UUID()
    state = fields.String()
    version = fields.Integer()
    drafted_by = fields.String()
    drafted_at = fields.AwareDateTime()
    submitted_by = fields.String(allow_none=True)
    reviewed_on = fields.Date(allow_none=True)
    signed_on = fields.Date(allow_none=True)
    entered_on = fields.Date(allow_none=True)
    lag_days = fields.Integer(allow_none=True)
    late = fields.Boolean(allow_none=True)
    valid_from = fields.Date(allow_none=True)
    valid_until = fields.Date(allow_none=True)
    value_fen = MoneyField(data_key="value", allow_none=True)
    ended_on = fields.Date(allow_none=True)
    end_reason = fields.String(allow_none=True)
    retention_classes = fields.List(fields.String())
    keep_until = fields.Date(allow_none=True)


class ContractsPage(Schema):
    items = fields.List(fields.Nested(ContractSummary))
    next_cursor = fields.String(allow_none=True)


class ContractFulfilmentView(Schema):
    """`remaining` may still be ordered, `unshipped` is not delivered yet; `overdue` when its delivery date has passed."""

    line_no = fields.Integer()
    product_id = fields.String()
    quantity = fields.Integer()
    ordered = fields.Integer()
    shipped = fields.Integer()
    remaining = fields.Integer()
    unshipped = fields.Integer()
    late = fields.Integer()
    shipped_fen = MoneyField(data_key="shipped_value")
    last_shipped_on = fields.Date(allow_none=True)
    overdue = fields.Boolean()


class ContractSignatureView(Schema):
    party = fields.String()
    signatory = fields.String()
    signed_on = fields.Date()
    file_sha256 = fields.String()
    recorded_by = fields.String()
    recorded_at = fields.AwareDateTime()


class ContractAmendmentView(Schema):
    amendment_id = fields.UUID()
    contract_id = fields.UUID()
    base_version = fields.Integer()
    proposed_side = fields.String()
    reason = fields.String()
    content = fields.Nested(ContractContentView)
    content_hash = fields.String()
    proposed_by = fields.String()
    proposed_at = fields.AwareDateTime()
    state = fields.String()
    approved_by = fields.String(allow_none=True)
    contact_id = fields.UUID(allow_none=True)
    confirmed_on = fields.Date(allow_none=True)
    evidence_sha256 = fields.String(allow_none=True)
    recorded_by = fields.String(allow_none=True)
    version = fields.Integer(allow_none=True)


class ContractAmendmentsPage(Schema):
    items = fields.List(fields.Nested(ContractAmendmentView))
    next_cursor = fields.String(allow_none=True)


class ContractView(ContractSummary):
    """`content` is the version in force, or the draft; `missing` names what a draft lacks.

    `billed` is what its shipments left to be paid on credit; `paid`, `open` and `past_due` are parts of it (returns
    credited count as paid).
    """

    content = fields.Nested(ContractContentView)
    content_hash = fields.String()
    missing = fields.List(fields.String())
    signatures = fields.List(fields.Nested(ContractSignatureView))
    fulfilment = fields.List(fields.Nested(ContractFulfilmentView))
    termination_requested = fields.Boolean()
    billed_fen = MoneyField(data_key="billed")
    paid_fen = MoneyField(data_key="paid")
    open_fen = MoneyField(data_key="open")
    past_due_fen = MoneyField(data_key="past_due")


class ContractVersionView(Schema):
    contract_id = fields.UUID()
    number = fields.String()
    version = fields.Integer()
    content = fields.Nested(ContractContentView)
    content_hash = fields.String()
    value_fen = MoneyField(data_key="value")
    agreed_on = fields.Date()
    reason = fields.String(allow_none=True)
    amendment_id = fields.UUID(allow_none=True)
    made_by = fields.String()
    made_at = fields.AwareDateTime()


class ContractChangeView(Schema):
    change = fields.String()
    version = fields.Integer()
    content_hash = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    actor = fields.String()
    at = fields.AwareDateTime()


class ContractHistoryPage(Schema):
    """The change history of the paper, oldest first."""

    form = fields.String()
    number = fields.String()
    items = fields.List(fields.Nested(ContractChangeView))
    next_cursor = fields.String(allow_none=True)
