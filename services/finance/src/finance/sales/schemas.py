"""Receipts and what becomes of them, for OpenAPI and for telling every fault of a payload at once."""

import types
import typing
from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec
from marshmallow import Schema, ValidationError, fields, validate

from finance.kernel import receipt as shape
from shared.explain_typed import faults_of_type
from shared.faults import Fault
from shared.money import MoneyField


class _Strict(fields.Field[Any]):
    """A value that fits a type of finance.kernel.receipt exactly; OpenAPI is told what the type says."""

    def __init__(self, kind: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kind = kind
        self.metadata = {**self.metadata, **_json_schema(kind)}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        for fault in self.faults(value, ""):
            raise ValidationError(fault.message)
        return msgspec.convert(value, self._kind)

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        """Why `value` is not of this type."""
        return faults_of_type(self._kind, value, path)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


def _json_schema(kind: Any) -> dict[str, Any]:
    schema = dict(msgspec.json.schema(kind))
    definitions = schema.pop("$defs", {})
    reference = schema.pop("$ref", None)
    if reference:
        schema = dict(definitions[reference.rpartition("/")[2]])
    schema.pop("title", None)
    return schema


def _field(struct: type[msgspec.Struct], name: str) -> Any:
    """The strict field of one attribute: required unless the struct has a default, nullable where it may be None."""
    info = next(each for each in msgspec.structs.fields(struct) if each.name == name)
    kind = info.type
    nullable = typing.get_origin(kind) in {types.UnionType, typing.Union} and type(None) in typing.get_args(
        kind
    )
    if nullable:
        kind = next(each for each in typing.get_args(kind) if each is not type(None))
    if info.required:
        return _Strict(kind, required=True)
    shown = {"default": msgspec.to_builtins(info.default)}  # JSON for OpenAPI
    return _Strict(kind, load_default=info.default, allow_none=nullable, metadata=shown)


class ProductBody(Schema):
    """What was sold as it was called then (药品管理法 Art 57)."""

    class Meta:
        include: ClassVar = {
            each.encode_name: _field(shape.Product, each.name)
            for each in msgspec.structs.fields(shape.Product)
        }


class ReceiptLineBody(Schema):
    """`unit_price` and `discount` hold the tax; `cost` is that of the whole line, without tax."""

    product = fields.Nested(ProductBody, required=True)
    lot = _field(shape.ReceiptLine, "lot")
    expiry = _field(shape.ReceiptLine, "expiry")
    quantity = _field(shape.ReceiptLine, "quantity")
    unit_price = _field(shape.ReceiptLine, "unit_price")
    discount = _field(shape.ReceiptLine, "discount")
    tax_bp = _field(shape.ReceiptLine, "tax_bp")
    cost = _field(shape.ReceiptLine, "cost")


class PaymentBody(Schema):
    """`redemption_id` is needed with the tender `points`, and refused with any other."""

    tender = _field(shape.Payment, "tender")
    amount = _field(shape.Payment, "amount")
    redemption_id = _field(shape.Payment, "redemption_id")


class ReceiptBody(Schema):
    """One receipt; tenders sum exactly to Σ (quantity × unit_price − discount)."""

    receipt_number = _field(shape.Receipt, "receipt_number")
    branch_id = _field(shape.Receipt, "branch_id")
    customer_id = _field(shape.Receipt, "customer_id")
    channel = _field(shape.Receipt, "channel")
    sold_at = _field(shape.Receipt, "sold_at")
    late = _field(shape.Receipt, "late")
    lines = fields.List(
        fields.Nested(ReceiptLineBody), required=True, validate=validate.Length(1, shape.LINES_MAX)
    )
    tenders = fields.List(
        fields.Nested(PaymentBody), required=True, validate=validate.Length(0, len(shape.Tender))
    )


class PostedLineView(Schema):
    line_id = fields.UUID()
    net = MoneyField()
    tax = MoneyField()


class PostedSaleView(Schema):
    """The sale as it was written: lines in the receipt's order."""

    sale_id = fields.UUID()
    receipt_number = fields.String()
    branch_id = fields.String()
    business_date = fields.Date()
    booked_on = fields.Date()
    lines = fields.List(fields.Nested(PostedLineView))
    net = MoneyField()
    tax = MoneyField()
    total = MoneyField()


class BulkResultLine(Schema):
    """One line of the answer of a bulk upload."""

    line = fields.Integer()
    receipt_number = fields.String(allow_none=True)
    state = fields.String(validate=validate.OneOf(["posted", "duplicate", "refused"]))
    sale_id = fields.UUID()
    code = fields.String()
    detail = fields.String()
    errors = fields.List(fields.Dict())
