"""JSON of a receipt. Bodies refuse unknown fields."""

from typing import Any

from marshmallow import Schema, fields, validate, validates_schema

from returns.cold_chain import ColdChainBody
from returns.kernel.fields import (
    DECICELSIUS,
    LINES_MAX,
    QUANTITY_MAX,
    Whole,
    line_field,
    lot_field,
    require_each_once,
)
from shared.validators import INSTANT


class ReceivedLine(Schema):
    return_line_id = fields.UUID(required=True)
    lot = lot_field(required=True, metadata={"description": "The lot on the goods themselves."})
    quantity = Whole(required=True, validate=validate.Range(0, QUANTITY_MAX))
    cold_chain = fields.Nested(ColdChainBody, load_default=None, allow_none=True)


class ReceiptRecordBody(Schema):
    quarantine_location = line_field(required=True)
    carrier = line_field(load_default=None)
    vehicle = line_field(load_default=None)
    dispatch_place = line_field(load_default=None)
    dispatched_at = fields.AwareDateTime(load_default=None, validate=INSTANT)
    arrival_decicelsius = Whole(load_default=None, validate=DECICELSIUS)


class ReceiptBody(Schema):
    record = fields.Nested(ReceiptRecordBody, required=True)
    lines = fields.List(fields.Nested(ReceivedLine), required=True, validate=validate.Length(1, LINES_MAX))

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        require_each_once(data["lines"], "return_line_id")


class ReceiptView(Schema):
    receiver = fields.String(required=True)
    received_at = fields.AwareDateTime(required=True)
    quarantine_location = fields.String(required=True)
    carrier = fields.String(required=True, allow_none=True)
    vehicle = fields.String(required=True, allow_none=True)
    dispatch_place = fields.String(required=True, allow_none=True)
    dispatched_at = fields.AwareDateTime(required=True, allow_none=True)
    arrival_decicelsius = fields.Integer(required=True, allow_none=True)
