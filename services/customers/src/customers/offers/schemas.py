"""JSON in and out of offers."""

from marshmallow import Schema, fields, validate

from customers.kernel.fields import BRANCH
from shared.decisions import DecisionField
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY, line

BENEFITS = ("price", "points", "gift", "service")
STATES = ("asking", "funded", "refused", "published", "rejected", "withdrawn", "ended")
_TEXT = line(500)


class OfferBody(Schema):
    """An offer to every patient of a branch."""

    plan_id = fields.UUID(
        required=True, metadata={"description": "The promotion plan of finance that pays for it."}
    )
    branch_id = fields.String(required=True, validate=BRANCH)
    title = fields.String(required=True, validate=line(100))
    benefit = fields.String(required=True, validate=validate.OneOf(BENEFITS))
    terms = fields.String(
        required=True, validate=_TEXT, metadata={"description": "What the customer gets and how."}
    )
    first_day = fields.Date(required=True, validate=DAY, data_key="from")
    last_day = fields.Date(required=True, validate=DAY, data_key="until")
    cost_fen = MoneyField(required=True, minimum_fen=1, data_key="cost")


class OfferEndBody(Schema):
    used_fen = MoneyField(required=True, minimum_fen=0, data_key="used")


class OfferDecisionView(Schema):
    role = fields.String(required=True)
    person = fields.String(required=True)
    approved = DecisionField(required=True, data_key="decision")
    reason = fields.String(required=True, allow_none=True)
    at = fields.AwareDateTime(required=True)


class CustomerOfferView(Schema):
    offer_id = fields.UUID(required=True)
    title = fields.String(required=True)
    benefit = fields.String(required=True, metadata={"enum": list(BENEFITS)})
    terms = fields.String(required=True)
    first_day = fields.Date(required=True, data_key="from")
    last_day = fields.Date(required=True, data_key="until")


class CustomerOffersView(Schema):
    items = fields.List(fields.Nested(CustomerOfferView), required=True)


class OfferView(CustomerOfferView):
    plan_id = fields.UUID(required=True)
    branch_id = fields.String(required=True)
    cost_fen = MoneyField(required=True, data_key="cost")
    used_fen = MoneyField(required=True, allow_none=True, data_key="used")
    state = fields.String(required=True, metadata={"enum": list(STATES)})
    refusal = fields.String(
        required=True, allow_none=True, metadata={"description": "The code for which finance does not pay."}
    )
    drawing_id = fields.UUID(required=True, allow_none=True)
    proposed_by = fields.String(required=True)
    proposed_at = fields.AwareDateTime(required=True)
    decisions = fields.List(fields.Nested(OfferDecisionView), required=True)


class OffersPage(Schema):
    items = fields.List(fields.Nested(OfferView), required=True)
    next_cursor = fields.String(allow_none=True)


class OffersArgs(PageArgs):
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))


class CustomerOffersArgs(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    on = fields.Date(
        load_default=None, validate=DAY, metadata={"description": "The business date; today if left out."}
    )
