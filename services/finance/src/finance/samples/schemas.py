"""The shapes of samples in requests and answers."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH, CATEGORY, LOT, MAYBE, NUMBER, REASON, TEXT
from finance.kernel.receipt import QUANTITY_MAX
from finance.samples.rules import KINDS, RECIPIENTS
from shared import words
from shared.decisions import DecisionField
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY

STATES = ("requested", "approved", "rejected", "issued", "confirmed")


class SampleBody(Schema):
    """`category` and `expiry` are of products alone. `customer_id` of an institution, or of one of the public.

    `tax_bp`, the product's VAT rate, is required of what is given away.
    """

    branch_id = fields.String(required=True, validate=BRANCH)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    recipient = fields.String(required=True, validate=validate.OneOf(RECIPIENTS))
    customer_id = fields.UUID(**MAYBE)
    purpose = fields.String(required=True, validate=validate.Regexp(r"\A[a-z_]{1,40}\Z", error=words.WORD))
    product_id = fields.String(required=True, validate=NUMBER)
    generic_name = fields.String(required=True, validate=TEXT)
    category = fields.String(validate=CATEGORY, **MAYBE)
    lot = fields.String(required=True, validate=LOT)
    expiry = fields.Date(validate=DAY, **MAYBE)
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(1, QUANTITY_MAX))
    tax_bp = fields.Integer(strict=True, validate=validate.Range(0, 10_000), **MAYBE)
    reason = fields.String(required=True, validate=REASON)


class SampleConfirmationBody(Schema):
    """Together what was issued."""

    used = fields.Integer(required=True, strict=True, validate=validate.Range(0, QUANTITY_MAX))
    returned = fields.Integer(required=True, strict=True, validate=validate.Range(0, QUANTITY_MAX))


class SamplesArgs(PageArgs):
    """`overdue=true`: issued, and nobody has said in time what became of them."""

    branch_id = fields.String(validate=BRANCH, **MAYBE)
    customer_id = fields.UUID(**MAYBE)
    product_id = fields.String(validate=NUMBER, **MAYBE)
    kind = fields.String(validate=validate.OneOf(KINDS), **MAYBE)
    state = fields.String(validate=validate.OneOf(STATES), **MAYBE)
    overdue = fields.Boolean(load_default=False)


class SampleDecisionView(Schema):
    role = fields.String()
    person = fields.String()
    approved = DecisionField(data_key="decision")
    reason = fields.String(allow_none=True)
    at = fields.AwareDateTime()


class SampleView(Schema):
    """`cost_basis`: `average` of the lot, `till` where it was never bought, `none` for packaging that is no stock.

    `vat` is the output VAT of what is given away, on `vat_base`: the list `price` of the day, else the `cost` with the
    legal profit rate.
    """

    sample_id = fields.UUID()
    number = fields.String()
    form = fields.String()
    branch_id = fields.String()
    kind = fields.String()
    recipient = fields.String()
    customer_id = fields.UUID(allow_none=True)
    purpose = fields.String()
    product_id = fields.String()
    generic_name = fields.String()
    category = fields.String(allow_none=True)
    lot = fields.String()
    expiry = fields.Date(allow_none=True)
    quantity = fields.Integer()
    reason = fields.String()
    state = fields.String()
    requested_by = fields.String()
    requested_at = fields.AwareDateTime()
    issued_by = fields.String(allow_none=True)
    issued_at = fields.AwareDateTime(allow_none=True)
    booked_on = fields.Date(allow_none=True)
    cost_basis = fields.String(allow_none=True)
    cost_fen = MoneyField(data_key="cost", allow_none=True)
    tax_bp = fields.Integer(allow_none=True)
    vat_basis = fields.String(allow_none=True)
    vat_base_fen = MoneyField(data_key="vat_base", allow_none=True)
    vat_fen = MoneyField(data_key="vat", allow_none=True)
    confirm_by = fields.Date(allow_none=True)
    overdue = fields.Boolean()
    used_quantity = fields.Integer(data_key="used", allow_none=True)
    returned_quantity = fields.Integer(data_key="returned", allow_none=True)
    confirmed_by = fields.String(allow_none=True)
    confirmed_at = fields.AwareDateTime(allow_none=True)
    decisions = fields.List(fields.Nested(SampleDecisionView))


class SamplesPage(Schema):
    items = fields.List(fields.Nested(SampleView))
    next_cursor = fields.String(allow_none=True)
