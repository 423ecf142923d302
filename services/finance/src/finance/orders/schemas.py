"""The shapes of requests and answers of orders."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH, CATEGORY, LOT, MONTH, NUMBER, TEXT, count
from finance.kernel.receipt import LINES_MAX, QUANTITY_MAX, UNIT_PRICE_FEN_MAX, TempClass
from shared.decisions import DecisionBody, DecisionField
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.shapes import SOMETIMES
from shared.validators import ANY_DAY, DAY, INSTANT

ORDER_STATES = ("draft", "checked", "confirmed", "part_shipped", "shipped", "closed", "cancelled")
MATTERS = ("discount", "below_floor", "credit")


def _text(**kwargs: object) -> fields.String:
    return fields.String(validate=TEXT, **kwargs)  # type: ignore[arg-type]


class OrderProductBody(Schema):
    """The product as it is called now; shipments and delivery notes repeat it (药品管理法 Art 57)."""

    id = fields.String(required=True, validate=NUMBER, data_key="product_id")
    generic_name = _text(required=True)
    category = fields.String(required=True, validate=CATEGORY)
    temp_class = fields.String(required=True, validate=validate.OneOf([each.value for each in TempClass]))
    dosage_form = _text(required=True)
    specification = _text(required=True)
    mah = _text(required=True)
    maker = _text(required=True)
    approval_number = _text(required=True)


class OrderLotBody(Schema):
    lot = fields.String(required=True, validate=LOT)
    expiry = fields.Date(validate=ANY_DAY, required=True)


class OrderLineBody(Schema):
    """`unit_price` and `unit_discount` are of one unit, with the tax. Named lots are the only ones to be shipped."""

    no = count(LINES_MAX, required=True)
    product = fields.Nested(OrderProductBody, required=True)
    quantity = count(QUANTITY_MAX, required=True)
    unit_price = MoneyField(required=True, minimum_fen=1, maximum_fen=UNIT_PRICE_FEN_MAX)
    unit_discount = MoneyField(load_default=0, minimum_fen=0, maximum_fen=UNIT_PRICE_FEN_MAX)
    tax_bp = fields.Integer(required=True, strict=True, validate=validate.Range(0, 10_000))
    deliver_on = fields.Date(validate=DAY, required=True)
    contract_line = count(10_000, load_default=None, allow_none=True)
    lots = fields.List(fields.Nested(OrderLotBody), load_default=list, validate=validate.Length(0, 50))


LINES = validate.Length(1, LINES_MAX)


class OrderBody(Schema):
    branch_id = fields.String(required=True, validate=BRANCH)
    customer_id = fields.UUID(required=True)
    contract_id = fields.UUID(load_default=None, allow_none=True)
    lines = fields.List(fields.Nested(OrderLineBody), required=True, validate=LINES)


class OrderVersionBody(Schema):
    """The version that the caller has read: who changed the order since is not overruled unseen."""

    version = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1_000_000))


class OrderChangeBody(OrderVersionBody):
    """All lines as they are to be, with those that stay as they are."""

    lines = fields.List(fields.Nested(OrderLineBody), required=True, validate=LINES)


class OrderDecisionBody(OrderVersionBody, DecisionBody):
    """`until` ends an override of credit; left out, it is the longest that the house allows."""

    matter = fields.String(required=True, validate=validate.OneOf(MATTERS))
    until = fields.AwareDateTime(validate=INSTANT, load_default=None, allow_none=True)


class OrderEndBody(Schema):
    reason = _text(required=True)


class OrderProposalLineView(Schema):
    no = fields.Integer()
    product = fields.Dict()
    quantity = fields.Integer()
    unit_price_fen = MoneyField(data_key="unit_price")
    unit_discount_fen = MoneyField(data_key="unit_discount")
    tax_bp = fields.Integer()
    deliver_on = fields.Date()
    contract_line = fields.Integer(allow_none=True)
    lots = fields.List(fields.Nested(OrderLotBody))
    total_fen = MoneyField(data_key="total")


class OrderLineView(OrderProposalLineView):
    shipped_quantity = fields.Integer()
    completed_on = fields.Date(allow_none=True)


class OrderDecisionView(Schema):
    """`counts` says whether it is about what the order proposes now."""

    matter = fields.String()
    role = fields.String()
    person = fields.String()
    approved = DecisionField(data_key="decision")
    reason = fields.String(allow_none=True)
    until = fields.AwareDateTime(allow_none=True)
    at = fields.AwareDateTime()
    counts = fields.Boolean()


class OrderShipmentView(Schema):
    shipment_id = fields.UUID()
    no = fields.Integer()
    sale_id = fields.UUID()
    receipt_number = fields.String()
    sent_on = fields.Date()
    total_fen = MoneyField(data_key="total")


class OrderPriceView(Schema):
    """What a line was judged by when it was confirmed."""

    no = fields.Integer()
    verdict = fields.String()
    rule_id = fields.UUID()
    strategy_id = fields.UUID(allow_none=True)
    list_fen = MoneyField(data_key="list_price")
    floor_fen = MoneyField(data_key="floor")


class OrderPermissionView(Schema):
    """The permission that the order was judged by, as customers had told it on that day."""

    version = fields.Integer()
    on = fields.String(metadata={"format": "date"})
    kind = fields.String()
    categories = fields.List(fields.String())
    valid_until = fields.String(allow_none=True, metadata={"format": "date"})


class OrderRevisionView(Schema):
    version = fields.Integer()
    total_fen = MoneyField(data_key="total")
    permission = fields.Nested(OrderPermissionView)
    prices = fields.List(fields.Nested(OrderPriceView))
    override_id = fields.UUID(allow_none=True)
    proposed_by = fields.String()
    confirmed_by = fields.String()
    confirmed_at = fields.AwareDateTime()


class OrderHeadView(Schema):
    order_id = fields.UUID()
    number = fields.String()
    branch_id = fields.String()
    customer_id = fields.UUID()
    contract_id = fields.UUID(allow_none=True)
    state = fields.String(validate=validate.OneOf(ORDER_STATES))
    version = fields.Integer()
    total_fen = MoneyField(data_key="total")
    drafted_by = fields.String()
    drafted_at = fields.AwareDateTime()
    proposed_by = fields.String()
    proposed_at = fields.AwareDateTime()
    confirmed_by = fields.String(allow_none=True)
    confirmed_at = fields.AwareDateTime(allow_none=True)
    permission_version = fields.Integer(allow_none=True)
    ended_by = fields.String(allow_none=True)
    ended_at = fields.AwareDateTime(allow_none=True)
    ended_reason = fields.String(allow_none=True)


class OrderView(OrderHeadView):
    """`lines` are in force; `proposal` waits to be confirmed, null when nothing does."""

    lines = fields.List(fields.Nested(OrderLineView))
    proposal = fields.List(fields.Nested(OrderProposalLineView), allow_none=True)
    approvals = fields.List(fields.Nested(OrderDecisionView))
    shipments = fields.List(fields.Nested(OrderShipmentView))
    revisions = fields.List(fields.Nested(OrderRevisionView))


class OrderFaultView(Schema):
    """`code` is that of the refusal; an approval that would mend it is named with the roles it awaits."""

    code = fields.String()
    path = fields.String()
    message = fields.String()
    approval = fields.String(metadata=SOMETIMES)
    awaited = fields.List(fields.String(), metadata=SOMETIMES)


class OrderCheckView(Schema):
    order_id = fields.UUID()
    state = fields.String()
    version = fields.Integer()
    faults = fields.List(fields.Nested(OrderFaultView))


class OrdersArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    customer_id = fields.UUID(load_default=None)
    state = fields.String(load_default=None, validate=validate.OneOf(ORDER_STATES))
    waits_for = fields.String(load_default=None, validate=validate.OneOf(("decision", "confirmation")))


class OrderAwaitedView(Schema):
    matter = fields.String()
    roles = fields.List(fields.String())


class ListedOrderView(OrderHeadView):
    """`awaited` is told of those that wait for a decision: by matter the roles that may give it."""

    awaited = fields.List(fields.Nested(OrderAwaitedView), metadata=SOMETIMES)


class OrdersPage(Schema):
    items = fields.List(fields.Nested(ListedOrderView))
    next_cursor = fields.String(allow_none=True)


class OrderExceptionsArgs(PageArgs):
    month = fields.String(required=True, validate=MONTH)
    branch_id = fields.String(load_default=None, validate=BRANCH)


class OrderExceptionView(Schema):
    """One content of an order: how many of its prices were approved by others, and whether its credit was."""

    order_id = fields.UUID()
    number = fields.String()
    branch_id = fields.String()
    customer_id = fields.UUID()
    version = fields.Integer()
    total_fen = MoneyField(data_key="total")
    discounts = fields.Integer()
    below_floor = fields.Integer()
    has_override = fields.Boolean()
    proposed_by = fields.String()
    approved_by = fields.List(fields.String())
    confirmed_by = fields.String()
    confirmed_at = fields.AwareDateTime()


class OrderExceptionsPage(Schema):
    items = fields.List(fields.Nested(OrderExceptionView))
    next_cursor = fields.String(allow_none=True)
