"""JSON of the expiries of lots."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH, LOT, NUMBER, REASON
from finance.lots.rules import Source
from shared.paging import PageArgs
from shared.validators import ANY_DAY

SOURCE = {"enum": [each.value for each in Source]}


class LotArgs(PageArgs):
    """`lot` in any spelling."""

    product_id = fields.String(load_default=None, validate=NUMBER)
    lot = fields.String(load_default=None, validate=LOT)


class LotExpiriesArgs(LotArgs):
    source = fields.String(load_default=None, validate=validate.OneOf(list(Source)))


class LotContradictionsArgs(LotArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    is_open = fields.Boolean(
        load_default=None, metadata={"description": "Only what is not decided yet, or only what is."}
    )
    decision_id = fields.UUID(load_default=None)


class LotExpiryView(Schema):
    """`lot` as it was written first. Branch, number and person of the paper are told to who may see its branch; a
    decision of quality assurance is of no branch, its reference is its id.
    """

    product_id = fields.String(required=True)
    lot = fields.String(required=True)
    expiry = fields.Date(required=True)
    source = fields.String(required=True, metadata=SOURCE)
    branch_id = fields.String(required=True, allow_none=True)
    reference = fields.String(required=True, allow_none=True)
    told_by = fields.String(required=True, allow_none=True)
    told_at = fields.AwareDateTime(required=True)


class LotExpiriesPage(Schema):
    items = fields.List(fields.Nested(LotExpiryView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class LotContradictionView(Schema):
    """`told_expiry` was refused `times` times, the last time on the paper `reference`, while `held_expiry` held."""

    contradiction_id = fields.UUID(required=True)
    product_id = fields.String(required=True)
    lot = fields.String(required=True)
    branch_id = fields.String(required=True)
    told_expiry = fields.Date(required=True)
    held_expiry = fields.Date(required=True)
    source = fields.String(required=True, metadata=SOURCE)
    reference = fields.String(required=True, allow_none=True)
    times = fields.Integer(required=True)
    first_told_at = fields.AwareDateTime(required=True)
    last_told_at = fields.AwareDateTime(required=True)
    last_told_by = fields.String(required=True)
    is_open = fields.Boolean(required=True)
    decision_id = fields.UUID(required=True, allow_none=True)


class LotContradictionsPage(Schema):
    items = fields.List(fields.Nested(LotContradictionView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class LotExpiryDecisionBody(Schema):
    """`expiry` as it is printed on the goods; the one that holds, or another."""

    product_id = fields.String(required=True, validate=NUMBER)
    lot = fields.String(required=True, validate=LOT)
    expiry = fields.Date(required=True, validate=ANY_DAY)
    reason = fields.String(required=True, validate=REASON)


class LotExpiryDecisionView(Schema):
    """`before` is what held until then, null of a lot nothing was told of."""

    decision_id = fields.UUID(required=True)
    product_id = fields.String(required=True)
    lot = fields.String(required=True)
    before = fields.Date(required=True, allow_none=True)
    expiry = fields.Date(required=True)
    reason = fields.String(required=True)
    contradictions = fields.Integer(
        required=True, metadata={"description": "How many open contradictions it settled."}
    )
    decided_by = fields.String(required=True)
    decided_at = fields.AwareDateTime(required=True)


class LotExpiryDecisionsPage(Schema):
    items = fields.List(fields.Nested(LotExpiryDecisionView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
