"""JSON of a notice with all that happened to it."""

from marshmallow import Schema, fields, validate

from returns.approvals import DecisionView
from returns.cold_chain import ColdChainView
from returns.inspection import InspectionView
from returns.kernel import reasons
from returns.kernel.fields import branch_field, choice_field, reference_field
from returns.kernel.vocabulary import Kind, LineStatus, ReceiptCause, RefusalCause, Status
from returns.pickups import PickupView
from returns.receiving import ReceiptView
from shared.money import MoneyField
from shared.paging import PageArgs


class ReturnFilters(PageArgs):
    branch_id = branch_field(load_default=None)
    status = choice_field(Status, load_default=None, data_key="state")
    kind = choice_field(Kind, load_default=None)
    reason = fields.String(load_default=None, validate=validate.OneOf(reasons.codes()))
    customer_id = reference_field(load_default=None)
    sale_id = reference_field(load_default=None)
    number = reference_field(load_default=None)


class NoticeSummary(Schema):
    id = fields.UUID(required=True, data_key="return_id")
    number = fields.String(required=True)
    kind = choice_field(Kind, required=True)
    branch_id = fields.String(required=True)
    sale_id = fields.String(required=True, allow_none=True)
    receipt_number = fields.String(required=True, allow_none=True)
    customer_id = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    status = choice_field(Status, required=True, data_key="state")
    version = fields.Integer(required=True)
    cause = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf([None, *(each.value for each in RefusalCause)]),
        metadata={"description": "Why a refused notice was refused."},
    )
    cause_detail = fields.String(required=True, allow_none=True)
    requested_by = fields.String(required=True)
    requested_at = fields.AwareDateTime(required=True)
    received_at = fields.AwareDateTime(required=True, allow_none=True)
    refund = MoneyField(required=True, allow_none=True, attribute="refund_fen")
    refund_id = fields.String(required=True, allow_none=True)


class NoticePage(Schema):
    items = fields.List(fields.Nested(NoticeSummary), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class LineView(Schema):
    id = fields.UUID(required=True, data_key="return_line_id")
    sale_line_id = fields.String(required=True)
    lot = fields.String(required=True)
    product_id = fields.String(required=True)
    category = fields.String(required=True)
    temp_class = fields.String(required=True)
    expiry = fields.Date(required=True)
    sold_quantity = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    received_quantity = fields.Integer(required=True)
    accepted_quantity = fields.Integer(required=True)
    status = choice_field(LineStatus, required=True, data_key="state")
    receipt_cause = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf([None, *(each.value for each in ReceiptCause)]),
    )
    result = fields.String(required=True, allow_none=True)
    disposition = fields.String(required=True, allow_none=True)
    net = MoneyField(required=True, allow_none=True, attribute="net_fen")
    tax = MoneyField(required=True, allow_none=True, attribute="tax_fen")
    cost = MoneyField(required=True, allow_none=True, attribute="cost_fen")
    cold_chain = fields.Nested(ColdChainView, required=True, allow_none=True)
    inspections = fields.List(fields.Nested(InspectionView), required=True)


class HistoryView(Schema):
    version = fields.Integer(required=True)
    fact = fields.String(required=True)
    from_status = fields.String(required=True, allow_none=True, data_key="from_state")
    to_status = fields.String(required=True, data_key="to_state")
    at = fields.AwareDateTime(required=True)
    actor = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    detail = fields.Dict(required=True)
    chain_no = fields.Integer(required=True, allow_none=True)


class NoticeView(NoticeSummary):
    lines = fields.List(fields.Nested(LineView), required=True)
    decisions = fields.List(fields.Nested(DecisionView), required=True)
    pickup = fields.Nested(PickupView, required=True, allow_none=True)
    receipt = fields.Nested(ReceiptView, required=True, allow_none=True)
    history = fields.List(fields.Nested(HistoryView), required=True)
