"""JSON in and out of the credit of institutions."""

from marshmallow import Schema, fields, validate

from shared.decisions import DecisionField
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY, line

VISIBLE_500 = line(500)


class CreditProposalBody(Schema):
    limit_fen = MoneyField(required=True, minimum_fen=0, data_key="limit")
    overdue_tolerance_fen = MoneyField(
        load_default=0,
        minimum_fen=0,
        data_key="overdue_tolerance",
        metadata={"description": "So much may be past due without stopping the next order."},
    )
    on_hold = fields.Boolean(load_default=False)
    valid_until = fields.Date(
        validate=DAY,
        load_default=None,
        allow_none=True,
        metadata={"description": "The last day, when the customer is to be assessed anew."},
    )
    reason = fields.String(required=True, validate=VISIBLE_500)


class CreditHoldBody(Schema):
    reason = fields.String(required=True, validate=VISIBLE_500)


class CreditDecisionView(Schema):
    role = fields.String(required=True)
    person = fields.String(required=True)
    approved = DecisionField(required=True, data_key="decision")
    reason = fields.String(required=True, allow_none=True)
    at = fields.AwareDateTime(required=True)


class CreditView(Schema):
    credit_id = fields.UUID(required=True)
    customer_id = fields.UUID(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf(("proposed", "effective", "rejected", "superseded"))
    )
    version = fields.Integer(required=True, allow_none=True)
    limit_fen = MoneyField(required=True, data_key="limit")
    overdue_tolerance_fen = MoneyField(required=True, data_key="overdue_tolerance")
    on_hold = fields.Boolean(required=True)
    valid_until = fields.Date(required=True, allow_none=True)
    reason = fields.String(required=True)
    requested_by = fields.String(required=True)
    requested_at = fields.AwareDateTime(required=True)
    effective_at = fields.AwareDateTime(required=True, allow_none=True)
    decisions = fields.List(fields.Nested(CreditDecisionView), required=True)


class CreditStandingView(Schema):
    customer_id = fields.UUID(required=True)
    current = fields.Nested(CreditView, required=True, allow_none=True)
    proposed = fields.Nested(CreditView, required=True, allow_none=True)


class CreditArchivePage(Schema):
    items = fields.List(fields.Nested(CreditView), required=True)
    next_cursor = fields.String(allow_none=True)


class CreditsArgs(PageArgs):
    state = fields.String(
        validate=validate.OneOf(["effective", "proposed"]),
        load_default="effective",
        metadata={
            "description": "`effective`: what is in effect; `proposed`: what waits for its two decisions."
        },
    )
    until = fields.Date(
        validate=DAY,
        load_default=None,
        metadata={"description": "Only credits whose last day is this one or before."},
    )
