"""JSON in and out of promotion plans."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH, CODE, NUMBER
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY


class PromotionPlanBody(Schema):
    """Forecast and budget of a campaign; `products` left empty means all."""

    code = fields.String(required=True, validate=CODE, metadata={"example": "SPRING-2026"})
    branch_id = fields.String(required=True, validate=BRANCH)
    first_day = fields.Date(validate=DAY, required=True, data_key="from")
    last_day = fields.Date(validate=DAY, required=True, data_key="until")
    products = fields.List(
        fields.String(validate=NUMBER), load_default=list, validate=validate.Length(0, 1000)
    )
    baseline_net = MoneyField(required=True, minimum_fen=0)
    baseline_margin = MoneyField(required=True)
    uplift_bp = fields.Integer(required=True, strict=True, validate=validate.Range(0, 1_000_000))
    budget = MoneyField(required=True, minimum_fen=1)


class PromotionPlanHeadView(Schema):
    plan_id = fields.UUID()
    code = fields.String()
    branch_id = fields.String()
    first_day = fields.Date(data_key="from")
    last_day = fields.Date(data_key="until")
    products = fields.List(fields.String())
    baseline_net_fen = MoneyField(data_key="baseline_net")
    baseline_margin_fen = MoneyField(data_key="baseline_margin")
    uplift_bp = fields.Integer()
    forecast_net_fen = MoneyField(data_key="forecast_net")
    budget_fen = MoneyField(data_key="budget")
    budget_id = fields.UUID(allow_none=True)
    state = fields.String()
    net_fen = MoneyField(data_key="net", allow_none=True)
    margin_fen = MoneyField(data_key="margin", allow_none=True)
    spent_fen = MoneyField(data_key="spent", allow_none=True)
    roi_bp = fields.Integer(allow_none=True)
    prepared_by = fields.String()


class PromotionDrawingView(Schema):
    drawing_id = fields.UUID()
    offer_id = fields.String()
    amount_fen = MoneyField(data_key="amount")
    used_fen = MoneyField(data_key="used", allow_none=True)
    drawn_by = fields.String()
    drawn_at = fields.AwareDateTime()


class PromotionPlanView(PromotionPlanHeadView):
    drawings = fields.List(fields.Nested(PromotionDrawingView))


class PlansArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    state = fields.String(
        load_default=None, validate=validate.OneOf(["proposed", "approved", "rejected", "closed"])
    )


class PromotionPlansPage(Schema):
    items = fields.List(fields.Nested(PromotionPlanHeadView))
    next_cursor = fields.String(allow_none=True)
