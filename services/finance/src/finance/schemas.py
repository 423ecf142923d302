"""The shapes of requests and answers, for OpenAPI and for telling every fault of a payload at once."""

import types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from finance.kernel import receipt as shape
from finance.kernel.fields import BRANCH, LOT, MONTH, NUMBER, PERSON
from shared.explain_typed import faults_of_type
from shared.faults import Fault
from shared.languages import Text
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.validators import DAY, INSTANT


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

    product_id = _field(shape.Product, "id")
    generic_name = _field(shape.Product, "generic_name")
    category = _field(shape.Product, "category")
    temp_class = _field(shape.Product, "temp_class")
    dosage_form = _field(shape.Product, "dosage_form")
    specification = _field(shape.Product, "specification")
    mah = _field(shape.Product, "mah")
    maker = _field(shape.Product, "maker")
    approval_number = _field(shape.Product, "approval_number")


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


class SaleLineView(Schema):
    sale_id = fields.UUID()
    line_id = fields.UUID()
    branch_id = fields.String()
    booked_on = fields.Date()
    product_id = fields.String()
    generic_name = fields.String()
    category = fields.String()
    temp_class = fields.String()
    dosage_form = fields.String(allow_none=True)
    specification = fields.String(allow_none=True)
    mah = fields.String(allow_none=True)
    maker = fields.String(allow_none=True)
    approval_number = fields.String(allow_none=True)
    lot = fields.String()
    expiry = fields.Date()
    quantity = fields.Integer()
    unit_price_fen = MoneyField(data_key="unit_price")
    discount_fen = MoneyField(data_key="discount")
    net_fen = MoneyField(data_key="net")
    tax_bp = fields.Integer()
    tax_fen = MoneyField(data_key="tax")
    cost_fen = MoneyField(data_key="cost")


class TenderView(Schema):
    tender = fields.String()
    redemption_id = fields.UUID(allow_none=True)
    fen = MoneyField(data_key="amount")


class SaleView(Schema):
    sale_id = fields.UUID()
    receipt_number = fields.String()
    branch_id = fields.String()
    customer_id = fields.UUID(allow_none=True)
    channel = fields.String()
    business_date = fields.Date()
    booked_on = fields.Date()
    sold_at = fields.AwareDateTime()
    net_fen = MoneyField(data_key="net")
    tax_fen = MoneyField(data_key="tax")
    total_fen = MoneyField(data_key="total")
    cost_fen = MoneyField(data_key="cost")
    posted_by = fields.String()
    posted_at = fields.AwareDateTime()
    lines = fields.List(fields.Nested(SaleLineView))
    tenders = fields.List(fields.Nested(TenderView))
    refunded_fen = MoneyField(data_key="refunded")


class _OfDays(PageArgs):
    """Business days, both included. `posted_by` is the account of the till or person that posted the receipt."""

    branch_id = fields.String(required=True, validate=BRANCH)
    posted_by = fields.String(load_default=None, validate=PERSON)
    tender = fields.String(load_default=None, validate=validate.OneOf([each.value for each in shape.Tender]))

    @validates_schema
    def _days_in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("first") and data.get("until") and data["until"] < data["first"]:
            raise ValidationError("`until` is before `from`", "until")


class SalesArgs(_OfDays):
    receipt_number = fields.String(load_default=None, validate=NUMBER)
    first = fields.Date(load_default=None, validate=DAY, data_key="from")
    until = fields.Date(load_default=None, validate=DAY)
    customer_id = fields.UUID(load_default=None)
    channel = fields.String(
        load_default=None, validate=validate.OneOf([each.value for each in shape.Channel])
    )


class PaidView(Schema):
    tender = fields.String(required=True)
    fen = MoneyField(data_key="amount", required=True)


class SaleRow(Schema):
    """One receipt without its lines; `GET /v1/sales/{sale_id}` tells those."""

    sale_id = fields.UUID(required=True)
    receipt_number = fields.String(required=True)
    branch_id = fields.String(required=True)
    customer_id = fields.UUID(required=True, allow_none=True)
    channel = fields.String(required=True)
    business_date = fields.Date(validate=DAY, required=True)
    booked_on = fields.Date(validate=DAY, required=True)
    sold_at = fields.AwareDateTime(required=True)
    net_fen = MoneyField(data_key="net", required=True)
    tax_fen = MoneyField(data_key="tax", required=True)
    total_fen = MoneyField(data_key="total", required=True)
    tenders = fields.List(fields.Nested(PaidView), required=True)
    posted_by = fields.String(required=True)
    posted_at = fields.AwareDateTime(validate=INSTANT, required=True)


class SalesPage(Schema):
    items = fields.List(fields.Nested(SaleRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


TOTALS_DAYS_MAX = 31


class SalesTotalsArgs(_OfDays):
    """At most 31 days."""

    first = fields.Date(required=True, validate=DAY, data_key="from")
    until = fields.Date(required=True, validate=DAY)

    @validates_schema
    def _not_too_many_days(self, data: dict[str, Any], **_: Any) -> None:
        if (data["until"] - data["first"]).days >= TOTALS_DAYS_MAX:
            raise ValidationError(
                Text("at most {totals_days_max} days", totals_days_max=TOTALS_DAYS_MAX), "until"
            )


class SalesTotalsRow(Schema):
    """`tender` is `none` for receipts that nothing was paid for."""

    business_date = fields.Date(validate=DAY, required=True)
    posted_by = fields.String(required=True)
    tender = fields.String(required=True)
    receipts = fields.Integer(required=True)
    fen = MoneyField(data_key="amount", required=True)


class SalesTotalsPage(Schema):
    items = fields.List(fields.Nested(SalesTotalsRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class SaleLinesArgs(PageArgs):
    """Lines of a customer, of a product or of both: who bought it, where it was sold. A lot is of a product.

    `from` and `until` are business dates with a customer, else days of booking.
    """

    customer_id = fields.UUID(load_default=None)
    product_id = fields.String(load_default=None, validate=NUMBER)
    lot = fields.String(load_default=None, validate=LOT)
    first = fields.Date(load_default=None, validate=DAY, data_key="from")
    last = fields.Date(load_default=None, validate=DAY, data_key="until")
    branch_id = fields.String(load_default=None, validate=BRANCH)

    @validates_schema
    def _names_something(self, data: dict[str, Any], **_: Any) -> None:
        if data["customer_id"] is None and data["product_id"] is None:
            raise ValidationError("name a customer or a product", "product_id")
        if data["lot"] is not None and data["product_id"] is None:
            raise ValidationError("a lot is of a product", "product_id")


class SaleLinesPage(Schema):
    items = fields.List(fields.Nested(SaleLineView))
    next_cursor = fields.String(allow_none=True)


class BranchArgs(Schema):
    branch_id = fields.String(load_default=None, validate=BRANCH)


class BalanceRow(Schema):
    account = fields.String()
    zh = fields.String()
    en = fields.String()
    opening_fen = MoneyField(data_key="opening")
    debit_fen = MoneyField(data_key="debit")
    credit_fen = MoneyField(data_key="credit")
    closing_fen = MoneyField(data_key="closing")


class TrialBalanceView(Schema):
    """Openings and closings are debit less credit: negative where the credit side is larger."""

    month = fields.String()
    branch_id = fields.String(allow_none=True)
    state = fields.String()
    rows = fields.List(fields.Nested(BalanceRow))
    debit_fen = MoneyField(data_key="debit")
    credit_fen = MoneyField(data_key="credit")


class EntriesArgs(PageArgs):
    month = fields.String(required=True, validate=MONTH)
    branch_id = fields.String(load_default=None, validate=BRANCH)


class EntryLineView(Schema):
    account = fields.String()
    customer_id = fields.UUID(allow_none=True)
    debit_fen = MoneyField(data_key="debit")
    credit_fen = MoneyField(data_key="credit")


class EntryView(Schema):
    """`voucher_no` is gap-free per book and year; it is given within seconds of the commit."""

    id = fields.Integer(data_key="entry_id")
    voucher_no = fields.Integer(allow_none=True)
    booked_on = fields.Date()
    branch_id = fields.String()
    kind = fields.String()
    source_id = fields.UUID()
    total_fen = MoneyField(data_key="total")
    reference = fields.String(allow_none=True)
    actor = fields.String()
    recorded_at = fields.AwareDateTime()
    lines = fields.List(fields.Nested(EntryLineView))


class EntriesPage(Schema):
    items = fields.List(fields.Nested(EntryView))
    next_cursor = fields.String(allow_none=True)


class PeriodView(Schema):
    month = fields.String()
    state = fields.String()
    closed_by = fields.String(allow_none=True)
    closed_at = fields.AwareDateTime(allow_none=True)
    locked_by = fields.String(allow_none=True)
    locked_at = fields.AwareDateTime(allow_none=True)
    late_days = fields.Integer(
        allow_none=True, metadata={"description": "Days after the calendar's last; null while open."}
    )


class PeriodObstacle(Schema):
    """`code` and `about` are those of the refusal that closing would answer with."""

    code = fields.String()
    detail = fields.String()
    about = fields.Dict()


class PeriodObstaclesView(Schema):
    """`obstacles` is empty when the month can be closed, or is closed."""

    month = fields.String()
    state = fields.String()
    closes_from = fields.Date()
    obstacles = fields.List(fields.Nested(PeriodObstacle))
    warnings = fields.List(
        fields.Nested(PeriodObstacle),
        metadata={"description": "What cannot be and yet stops no closing, such as negative inventory."},
    )


class ClosedPeriodView(PeriodView):
    warnings = fields.List(
        fields.Nested(PeriodObstacle),
        metadata={"description": "What cannot be and yet stopped no closing, such as negative inventory."},
    )


class PeriodsList(Schema):
    items = fields.List(fields.Nested(PeriodView))


class ExposureView(Schema):
    """Debts are those of the token's branches, and `is_whole` says whether these are all; room is the company's."""

    is_whole = fields.Boolean(required=True)
    limit_fen = MoneyField(data_key="limit", required=True, allow_none=True)
    overdue_tolerance_fen = MoneyField(data_key="overdue_tolerance", required=True)
    on_hold = fields.Boolean(required=True)
    valid_until = fields.Date(required=True, allow_none=True)
    outstanding_fen = MoneyField(data_key="outstanding", required=True)
    overdue_fen = MoneyField(data_key="overdue", required=True)
    reserved_fen = MoneyField(data_key="reserved", required=True, allow_none=True)
    available_fen = MoneyField(data_key="available", required=True)
    refusal = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "The code with which the next fen on credit is refused; null when it is not."
        },
    )


class StoppedSalesArgs(PageArgs):
    product_id = fields.String(load_default=None, validate=NUMBER)
    lot = fields.String(load_default=None, validate=LOT)
    is_after_stop = fields.Boolean(
        load_default=False, metadata={"description": "Only what arrived after the stop was ordered."}
    )


class StoppedSaleView(Schema):
    sale_id = fields.UUID(required=True)
    receipt_number = fields.String(required=True)
    branch_id = fields.String(required=True)
    product_id = fields.String(required=True)
    lot = fields.String(required=True)
    quantity = fields.Integer(required=True)
    sold_at = fields.AwareDateTime(required=True)
    posted_at = fields.AwareDateTime(required=True)
    stopped_at = fields.AwareDateTime(required=True)
    is_after_stop = fields.Boolean(required=True)


class StoppedSalesPage(Schema):
    items = fields.List(fields.Nested(StoppedSaleView), required=True)
    next_cursor = fields.String(allow_none=True)
