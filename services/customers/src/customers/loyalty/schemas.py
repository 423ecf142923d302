"""JSON in and out of redemptions."""

from marshmallow import Schema, fields, validate

from customers.schemas import BRANCH
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.texts import Reference
from shared.validators import DAY, of

POINTS_MAX = 10**9
RECEIPT = of(Reference)


class RedemptionBody(Schema):
    """Points of a patient for one receipt; what they are worth pays it with the tender `points` of that receipt."""

    customer_id = fields.UUID(required=True)
    branch_id = fields.String(required=True, validate=BRANCH)
    receipt_number = fields.String(
        required=True,
        validate=RECEIPT,
        metadata={"description": "The number of the receipt that is being paid."},
    )
    points = fields.Integer(required=True, strict=True, validate=validate.Range(1, POINTS_MAX))


class RedemptionLotView(Schema):
    sale_id = fields.String(required=True)
    points = fields.Integer(required=True)
    given_back = fields.Integer(required=True)


class RedemptionsArgs(PageArgs):
    """Days on which the points were set aside, both included."""

    customer_id = fields.UUID(load_default=None)
    branch_id = fields.String(load_default=None, validate=BRANCH)
    receipt_number = fields.String(load_default=None, validate=RECEIPT)
    state = fields.String(load_default=None, validate=validate.OneOf(["open", "used", "restored"]))
    first = fields.Date(validate=DAY, load_default=None, data_key="from")
    until = fields.Date(validate=DAY, load_default=None)


class RedemptionView(Schema):
    redemption_id = fields.UUID(required=True)
    customer_id = fields.String(required=True)
    branch_id = fields.String(required=True)
    receipt_number = fields.String(required=True)
    points = fields.Integer(required=True)
    value = MoneyField(required=True, attribute="value_fen")
    state = fields.String(
        required=True,
        metadata={
            "enum": ["open", "used", "restored"],
            "description": "What we know of it; finance decides.",
        },
    )
    restore_at = fields.AwareDateTime(
        required=True, metadata={"description": "An open redemption gives its points back from then on."}
    )
    restored_cause = fields.String(allow_none=True, required=True)
    sale_id = fields.String(
        allow_none=True, required=True, metadata={"description": "The sale that used it."}
    )
    lots = fields.List(fields.Nested(RedemptionLotView), required=True)


class RedemptionRow(RedemptionView):
    """One redemption; `GET /v1/points/redemptions/{redemption_id}` tells the sales its points came from."""

    redeemed_on = fields.Date(validate=DAY, required=True)

    class Meta:
        exclude = ("lots",)


class RedemptionsPage(Schema):
    items = fields.List(fields.Nested(RedemptionRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
