"""The shapes of shipments in requests and answers."""

from marshmallow import Schema, fields, validate

from finance.kernel.fields import BRANCH, LOT, MONTH, count
from finance.kernel.receipt import LINES_MAX, QUANTITY_MAX
from finance.orders import OrderShipmentView
from shared import words
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import ANY_DAY, DAY

LINES = validate.Length(1, LINES_MAX)


class ShipmentLineBody(Schema):
    """Units of one lot; `cost` is that of all of them, without tax."""

    line_no = count(LINES_MAX, required=True)
    lot = fields.String(required=True, validate=LOT)
    expiry = fields.Date(validate=ANY_DAY, required=True)
    quantity = count(QUANTITY_MAX, required=True)
    cost = MoneyField(required=True, minimum_fen=0)
    trace_codes = fields.List(
        fields.String(validate=validate.Regexp(r"\A[0-9A-Za-z]{8,64}\Z", error=words.TRACE_CODE)),
        load_default=list,
        validate=validate.Length(0, 1_000),
    )


class ShipmentBody(Schema):
    lines = fields.List(fields.Nested(ShipmentLineBody), required=True, validate=LINES)


class ShipmentLineView(Schema):
    no = fields.Integer()
    order_line = fields.Integer()
    product = fields.Dict()
    lot = fields.String()
    expiry = fields.Date()
    quantity = fields.Integer()
    unit_price_fen = MoneyField(data_key="unit_price")
    unit_discount_fen = MoneyField(data_key="unit_discount")
    tax_bp = fields.Integer()
    trace_codes = fields.List(fields.String())
    total_fen = MoneyField(data_key="total")


class ShipmentView(OrderShipmentView):
    order_id = fields.UUID()
    number = fields.String()
    branch_id = fields.String()
    customer_id = fields.UUID()
    sent_at = fields.AwareDateTime()
    sent_by = fields.String()
    lines = fields.List(fields.Nested(ShipmentLineView))


class ShipmentsArgs(PageArgs):
    """Days on which they were sent, both included."""

    branch_id = fields.String(load_default=None, validate=BRANCH)
    order_id = fields.UUID(load_default=None)
    customer_id = fields.UUID(load_default=None)
    first = fields.Date(load_default=None, validate=DAY, data_key="from")
    until = fields.Date(load_default=None, validate=DAY)


class ShipmentRow(ShipmentView):
    """One shipment; `GET /v1/shipments/{shipment_id}` tells its lots."""

    class Meta:
        exclude = ("lines",)


class ShipmentsPage(Schema):
    items = fields.List(fields.Nested(ShipmentRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ShipmentsDueArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=BRANCH)
    until = fields.Date(
        validate=DAY, load_default=None, metadata={"description": "Last delivery day; today if left out."}
    )


class ShipmentDueView(Schema):
    order_id = fields.UUID()
    number = fields.String()
    branch_id = fields.String()
    customer_id = fields.UUID()
    line_no = fields.Integer()
    product_id = fields.String()
    deliver_on = fields.Date()
    left_quantity = fields.Integer()
    late_days = fields.Integer()


class ShipmentsDuePage(Schema):
    items = fields.List(fields.Nested(ShipmentDueView))
    next_cursor = fields.String(allow_none=True)


class ShipmentFiguresArgs(Schema):
    month = fields.String(required=True, validate=MONTH)
    branch_id = fields.String(load_default=None, validate=BRANCH)


class ShipmentFiguresRow(Schema):
    """`waited_s` is the mean from confirmation to the first shipment, of orders first shipped in the month."""

    branch_id = fields.String()
    due = fields.Integer()
    on_time = fields.Integer()
    late = fields.Integer()
    on_time_bp = fields.Integer(allow_none=True)
    shipped = fields.Integer()
    waited_s = fields.Integer(allow_none=True)
    longest_s = fields.Integer(allow_none=True)


class ShipmentFiguresView(Schema):
    branches = fields.List(fields.Nested(ShipmentFiguresRow))


class DeliveryNoteArgs(Schema):
    lang = fields.String(load_default="zh", validate=validate.OneOf(["zh", "en"]))
