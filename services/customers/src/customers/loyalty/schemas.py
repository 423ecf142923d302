"""JSON in and out of points and redemptions."""

from marshmallow import Schema, fields, validate

from customers.kernel.fields import BRANCH
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.texts import Reference
from shared.validators import DAY, of


class PointEntryView(Schema):
    kind = fields.String(
        required=True,
        metadata={
            "enum": ["earn", "reverse_earn", "redeem", "restore_redeem", "expire", "correct"],
            "description": "`correct` makes good an entry of a sale or refund that was lost with finance's log.",
        },
    )
    points = fields.Integer(required=True)
    money_basis = MoneyField(required=True, attribute="money_basis_fen")
    sale_id = fields.String(allow_none=True, required=True)
    sale_line_id = fields.String(allow_none=True, required=True)
    return_id = fields.String(allow_none=True)
    redemption_id = fields.UUID(allow_none=True)
    day = fields.Date(required=True)


class PointLotView(Schema):
    sale_id = fields.String(required=True)
    branch_id = fields.String(required=True)
    earned_on = fields.Date(required=True)
    expires_on = fields.Date(allow_none=True, required=True)
    points = fields.Integer(
        required=True,
        attribute="left",
        metadata={"description": "What is left; negative when goods came back whose points had been used."},
    )


class PointsView(Schema):
    customer_id = fields.UUID(required=True)
    balance = fields.Integer(required=True)
    usable = fields.Integer(
        required=True, metadata={"description": "What may be redeemed today, debts counted against it."}
    )
    lots = fields.List(fields.Nested(PointLotView), required=True)
    entries = fields.List(fields.Nested(PointEntryView), required=True)
    next_cursor = fields.String(allow_none=True)


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
    """One redemption; `GET /v1/redemptions/{redemption_id}` tells the sales its points came from."""

    redeemed_on = fields.Date(validate=DAY, required=True)

    class Meta:
        exclude = ("lots",)


class RedemptionsPage(Schema):
    items = fields.List(fields.Nested(RedemptionRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
