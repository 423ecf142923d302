"""Rules, grades and strategies in JSON."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH, MAYBE_REASON, NUMBER, TEXT, count
from finance.kernel.receipt import QUANTITY_MAX, UNIT_PRICE_FEN_MAX
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY

KINDS = ("patient", "pharmacy", "hospital", "wholesaler", "agent")
GRADES = ("", "A", "B", "C")
RULE_STATES = ("proposed", "approved", "rejected")


class PriceRuleBody(Schema):
    """Prices of one unit with the tax. Without a grade it holds for all grades that have no rule of their own."""

    product_id = fields.String(required=True, validate=NUMBER)
    customer_kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    grade = fields.String(load_default="", validate=validate.OneOf(GRADES))
    list_price = MoneyField(required=True, minimum_fen=1, maximum_fen=UNIT_PRICE_FEN_MAX)
    floor = MoneyField(required=True, minimum_fen=1, maximum_fen=UNIT_PRICE_FEN_MAX)
    effective_from = fields.Date(validate=DAY, required=True)


class PriceGradeBody(Schema):
    """Which prices a customer gets; an empty grade takes it away."""

    customer_id = fields.UUID(required=True)
    grade = fields.String(required=True, validate=validate.OneOf(GRADES))
    effective_from = fields.Date(validate=DAY, required=True)


class SalesStrategyBody(Schema):
    """`discount_bp` is below the list price, from `min_quantity` of one line on; products and kinds left out mean all."""

    kind = fields.String(
        required=True, validate=validate.OneOf(["promotion", "price_concession", "service_upgrade"])
    )
    name = fields.String(required=True, validate=TEXT)
    branch_id = fields.String(load_default=None, allow_none=True, validate=BRANCH)
    products = fields.List(
        fields.String(validate=NUMBER), load_default=list, validate=validate.Length(0, 1_000)
    )
    customer_kinds = fields.List(
        fields.String(validate=validate.OneOf(KINDS)), load_default=list, validate=validate.Length(0, 5)
    )
    min_quantity = count(QUANTITY_MAX, load_default=1)
    discount_bp = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 9_999))
    service = fields.String(load_default="", validate=MAYBE_REASON)
    first_day = fields.Date(validate=DAY, required=True, data_key="from")
    last_day = fields.Date(validate=DAY, required=True, data_key="until")
    plan_id = fields.UUID(load_default=None, allow_none=True)


class _DecidedView(Schema):
    state = fields.String(validate=validate.OneOf(RULE_STATES))
    proposed_by = fields.String()
    proposed_at = fields.AwareDateTime()
    decided_by = fields.String(allow_none=True)
    decided_at = fields.AwareDateTime(allow_none=True)
    decided_reason = fields.String(allow_none=True)


class PriceRuleView(_DecidedView):
    rule_id = fields.UUID()
    product_id = fields.String()
    customer_kind = fields.String()
    grade = fields.String()
    list_fen = MoneyField(data_key="list_price")
    floor_fen = MoneyField(data_key="floor")
    effective_from = fields.Date()


class PriceGradeView(_DecidedView):
    assignment_id = fields.UUID(data_key="grade_id")
    customer_id = fields.UUID()
    grade = fields.String()
    effective_from = fields.Date()


class SalesStrategyView(_DecidedView):
    strategy_id = fields.UUID()
    kind = fields.String()
    name = fields.String()
    branch_id = fields.String(allow_none=True)
    products = fields.List(fields.String())
    customer_kinds = fields.List(fields.String())
    min_quantity = fields.Integer()
    discount_bp = fields.Integer()
    service = fields.String()
    first_day = fields.Date(data_key="from")
    last_day = fields.Date(data_key="until")
    plan_id = fields.UUID(allow_none=True)


class _RulesArgs(PageArgs):
    state = fields.String(load_default=None, validate=validate.OneOf(RULE_STATES))


class PriceRulesArgs(_RulesArgs):
    product_id = fields.String(load_default=None, validate=NUMBER)
    customer_kind = fields.String(load_default=None, validate=validate.OneOf(KINDS))


class PriceGradesArgs(_RulesArgs):
    customer_id = fields.UUID(load_default=None)


class SalesStrategiesArgs(_RulesArgs):
    pass


class PriceRulesPage(Schema):
    items = fields.List(fields.Nested(PriceRuleView))
    next_cursor = fields.String(allow_none=True)


class PriceGradesPage(Schema):
    items = fields.List(fields.Nested(PriceGradeView))
    next_cursor = fields.String(allow_none=True)


class SalesStrategiesPage(Schema):
    items = fields.List(fields.Nested(SalesStrategyView))
    next_cursor = fields.String(allow_none=True)
