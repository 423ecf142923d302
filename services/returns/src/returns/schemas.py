"""JSON in and out of Returns."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from returns.domain import reason
from returns.domain.disposition import Disposition
from returns.domain.inspection import CHECKS, Result
from returns.domain.notice import Kind, LineStatus, ReceiptCause, RefusalCause, Status
from shared.decisions import DecisionField
from shared.lots import canonical
from shared.money import MoneyField
from shared.paging import PageArgs
from shared.texts import Branch, Lot, Reference
from shared.validators import DAY, INSTANT, line, note, of

LINES_MAX = 200
PROOFS_MAX = 20
LEGS_MAX = 20
SAMPLES_MAX = 20_000
QUANTITY_MAX = 2**31 - 1
CASES_MAX = 1_000_000
DECICELSIUS = validate.Range(-2_000, 2_000)


class Whole(fields.Integer):
    """A JSON integer: no text, no true, no 1.0."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Truth(fields.Boolean):
    """A JSON boolean: no text, no number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not bool:
            raise self.make_error("invalid", input=value)
        return value


def _id(**kwargs: Any) -> fields.String:
    """An id or number of ours or of a till."""
    return fields.String(validate=of(Reference), **kwargs)


def _lot(**kwargs: Any) -> fields.String:
    return fields.String(validate=of(Lot), **kwargs)


def _named(**kwargs: Any) -> fields.String:
    """A place, a vehicle, a device, a document elsewhere."""
    return fields.String(validate=line(128), **kwargs)


def _branch(**kwargs: Any) -> fields.String:
    return fields.String(validate=of(Branch), **kwargs)


def _words(most: int, **kwargs: Any) -> fields.String:
    return fields.String(validate=note(most), **kwargs)


def _one_of(kinds: Any, **kwargs: Any) -> fields.String:
    return fields.String(validate=validate.OneOf([kind.value for kind in kinds]), **kwargs)


def _no_twice(lines: list[dict[str, Any]], *names: str) -> None:
    keys = [tuple(canonical(line[name]) if name == "lot" else line[name] for name in names) for line in lines]
    if len(set(keys)) != len(keys):
        raise ValidationError("the same line is named twice", "lines")


# --- in -------------------------------------------------------------------------------------------


class PackageBody(Schema):
    unopened = Truth(required=True, metadata={"description": "The outer and inner packs were never opened."})
    intact = Truth(required=True, metadata={"description": "No damage, no sign of use or tampering."})


class RequestedLine(Schema):
    sale_line_id = _id(required=True)
    lot = _lot(required=True)
    quantity = Whole(required=True, validate=validate.Range(1, QUANTITY_MAX))


class ReturnRequest(Schema):
    """One notice covers one sale, any number of its lines."""

    branch_id = _branch(required=True, metadata={"description": "The branch that made the sale."})
    kind = _one_of(Kind, required=True)
    sale_id = _id(load_default=None, metadata={"description": "This or `receipt_number`."})
    receipt_number = _id(load_default=None)
    reason = fields.String(required=True, validate=validate.OneOf(reason.codes()))
    reason_text = _words(500, load_default=None, metadata={"description": "Needed for `other`. No names."})
    package = fields.Nested(PackageBody, required=True)
    proof_refs = fields.List(_named(), load_default=list, validate=validate.Length(max=PROOFS_MAX))
    lines = fields.List(fields.Nested(RequestedLine), required=True, validate=validate.Length(1, LINES_MAX))

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if (data["sale_id"] is None) == (data["receipt_number"] is None):
            raise ValidationError("give either sale_id or receipt_number", "sale_id")
        if data["reason"] == "other" and data["reason_text"] is None:
            raise ValidationError("say what the other reason is", "reason_text")
        _no_twice(data["lines"], "sale_line_id", "lot")


class CancellationBody(Schema):
    reason = _words(500, required=True)


class SampleBody(Schema):
    at = fields.AwareDateTime(required=True, validate=INSTANT)
    decicelsius = Whole(required=True, validate=DECICELSIUS, metadata={"description": "0.1 °C"})


class LegBody(Schema):
    phase = fields.String(required=True, validate=validate.OneOf(["transport", "storage"]))
    samples = fields.List(fields.Nested(SampleBody), required=True, validate=validate.Length(1, SAMPLES_MAX))


class ColdChainBody(Schema):
    """The returner's temperature statement and the data since the goods were sold."""

    statement_ref = _named(required=True)
    log_ref = _named(required=True)
    device_id = _named(required=True)
    calibration_valid_until = fields.Date(required=True, validate=DAY)
    legs = fields.List(fields.Nested(LegBody), required=True, validate=validate.Length(1, LEGS_MAX))


class ReceivedLine(Schema):
    return_line_id = fields.UUID(required=True)
    lot = _lot(required=True, metadata={"description": "The lot on the goods themselves."})
    quantity = Whole(required=True, validate=validate.Range(0, QUANTITY_MAX))
    cold_chain = fields.Nested(ColdChainBody, load_default=None, allow_none=True)


class ReceiptRecordBody(Schema):
    quarantine_location = _named(required=True)
    carrier = _named(load_default=None)
    vehicle = _named(load_default=None)
    dispatch_place = _named(load_default=None)
    dispatched_at = fields.AwareDateTime(load_default=None, validate=INSTANT)
    arrival_decicelsius = Whole(load_default=None, validate=DECICELSIUS)


class ReceiptBody(Schema):
    record = fields.Nested(ReceiptRecordBody, required=True)
    lines = fields.List(fields.Nested(ReceivedLine), required=True, validate=validate.Length(1, LINES_MAX))

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        _no_twice(data["lines"], "return_line_id")


ChecksBody = Schema.from_dict(
    {check: _one_of(Result, required=True) for check in CHECKS}, name="InspectionChecks"
)


class InspectedLine(Schema):
    return_line_id = fields.UUID(required=True)
    cases = Whole(required=True, validate=validate.Range(1, CASES_MAX))
    is_intact = Truth(required=True, metadata={"description": "The cases came with intact outer packs."})
    has_anomaly = Truth(required=True, metadata={"description": "A seal or label looked wrong."})
    cases_sampled = Whole(required=True, validate=validate.Range(1, CASES_MAX))
    checks = fields.Nested(ChecksBody, required=True)
    accepted_quantity = Whole(required=True, validate=validate.Range(0, QUANTITY_MAX))

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if data["cases_sampled"] > data["cases"]:
            raise ValidationError("more than there are", "cases_sampled")


class InspectionBody(Schema):
    lines = fields.List(fields.Nested(InspectedLine), required=True, validate=validate.Length(1, LINES_MAX))

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        _no_twice(data["lines"], "return_line_id")


class DisposedLine(Schema):
    return_line_id = fields.UUID(required=True)
    disposition = _one_of(Disposition, required=True)


class DispositionBody(Schema):
    lines = fields.List(fields.Nested(DisposedLine), required=True, validate=validate.Length(1, LINES_MAX))

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        _no_twice(data["lines"], "return_line_id")


class ReturnFilters(PageArgs):
    branch_id = _branch(load_default=None)
    status = _one_of(Status, load_default=None, data_key="state")
    kind = _one_of(Kind, load_default=None)
    reason = fields.String(load_default=None, validate=validate.OneOf(reason.codes()))
    customer_id = _id(load_default=None)
    sale_id = _id(load_default=None)
    number = _id(load_default=None)


class SaleArgs(Schema):
    branch_id = _branch(required=True)
    sale_id = _id(load_default=None)
    receipt_number = _id(load_default=None)

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if (data["sale_id"] is None) == (data["receipt_number"] is None):
            raise ValidationError("give either sale_id or receipt_number", "sale_id")


class EligibilityArgs(Schema):
    kind = _one_of(Kind, required=True)
    reason = fields.String(required=True, validate=validate.OneOf(reason.codes()))
    unopened = fields.Boolean(load_default=True)
    intact = fields.Boolean(load_default=True)
    in_date = fields.Boolean(load_default=True)
    has_proof = fields.Boolean(load_default=True)


class SamplingArgs(Schema):
    cases = fields.Integer(required=True, validate=validate.Range(1, CASES_MAX))
    is_intact = fields.Boolean(load_default=True)
    has_anomaly = fields.Boolean(load_default=False)


# --- out ------------------------------------------------------------------------------------------


class NoticeSummary(Schema):
    id = fields.UUID(required=True, data_key="return_id")
    number = fields.String(required=True)
    kind = _one_of(Kind, required=True)
    branch_id = fields.String(required=True)
    sale_id = fields.String(required=True, allow_none=True)
    receipt_number = fields.String(required=True, allow_none=True)
    customer_id = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    status = _one_of(Status, required=True, data_key="state")
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


class ColdChainView(Schema):
    fault = fields.String(required=True, allow_none=True)
    checked_at = fields.AwareDateTime(required=True)
    device_id = fields.Function(lambda row: row["evidence"]["device_id"], metadata={"type": "string"})


class InspectionView(Schema):
    inspector = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    cases = fields.Integer(required=True)
    is_intact = fields.Boolean(required=True)
    has_anomaly = fields.Boolean(required=True)
    cases_required = fields.Integer(required=True)
    packs_per_case_required = fields.Integer(required=True, allow_none=True)
    cases_sampled = fields.Integer(required=True)
    checks = fields.Dict(required=True)
    result = _one_of(Result, required=True)
    accepted_quantity = fields.Integer(required=True)


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
    status = _one_of(LineStatus, required=True, data_key="state")
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


class DecisionView(Schema):
    role = fields.String(required=True)
    person = fields.String(required=True)
    approved = DecisionField(required=True, data_key="decision")
    reason = fields.String(required=True, allow_none=True)
    at = fields.AwareDateTime(required=True)


class PickupView(Schema):
    ordered_at = fields.AwareDateTime(required=True)
    due_at = fields.AwareDateTime(required=True)
    confirmed_at = fields.AwareDateTime(required=True, allow_none=True)
    confirmed_by = fields.String(required=True, allow_none=True)
    on_time = fields.Boolean(required=True, allow_none=True)
    breached_at = fields.AwareDateTime(required=True, allow_none=True)


class ReceiptView(Schema):
    receiver = fields.String(required=True)
    received_at = fields.AwareDateTime(required=True)
    quarantine_location = fields.String(required=True)
    carrier = fields.String(required=True, allow_none=True)
    vehicle = fields.String(required=True, allow_none=True)
    dispatch_place = fields.String(required=True, allow_none=True)
    dispatched_at = fields.AwareDateTime(required=True, allow_none=True)
    arrival_decicelsius = fields.Integer(required=True, allow_none=True)


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


class SoldLineView(Schema):
    sale_id = fields.String(required=True)
    receipt_number = fields.String(required=True)
    sale_line_id = fields.String(required=True)
    lot = fields.String(required=True)
    sold_on = fields.Date(required=True)
    customer_id = fields.String(required=True, allow_none=True)
    product_id = fields.String(required=True)
    category = fields.String(required=True)
    temp_class = fields.String(required=True)
    expiry = fields.Date(required=True)
    quantity = fields.Integer(required=True)
    returnable = fields.Integer(required=True)
    net = MoneyField(required=True, attribute="net_fen")
    tax = MoneyField(required=True, attribute="tax_fen")


class SoldLinesView(Schema):
    items = fields.List(fields.Nested(SoldLineView), required=True)


class EligibilityView(Schema):
    eligible = fields.Boolean(required=True)
    faults = fields.List(fields.String(), required=True)
    source = fields.String(required=True, metadata={"description": "Where the rule comes from."})
    effective_from = fields.Date(required=True)


class SamplingView(Schema):
    cases = fields.Integer(required=True)
    packs_per_case = fields.Integer(
        required=True, allow_none=True, metadata={"description": "null: every minimum pack"}
    )


class ReasonLeaf(Schema):
    code = fields.String(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class ReasonView(ReasonLeaf):
    children = fields.List(fields.Nested(ReasonLeaf), required=True)


class ReasonsView(Schema):
    items = fields.List(fields.Nested(ReasonView), required=True)


# --- lots off sale ----------------------------------------------------------------------------------

LOT = of(Lot)
STOPPED_LOTS_MAX = 100


def _evidence() -> fields.List[Any]:
    return fields.List(
        fields.String(validate=line(200)),
        load_default=list,
        validate=validate.Length(max=PROOFS_MAX),
        metadata={"description": "References of reports, notices or complaints."},
    )


def _why(**kwargs: Any) -> fields.String:
    return fields.String(validate=note(500), **kwargs)


class StopSaleBody(Schema):
    product_id = fields.String(required=True, validate=LOT)
    lots = fields.List(
        fields.String(validate=LOT), required=True, validate=validate.Length(1, STOPPED_LOTS_MAX)
    )
    reason = _why(required=True)
    evidence = _evidence()

    @validates_schema
    def _each_lot_once(self, data: dict[str, Any], **_: Any) -> None:
        if len({canonical(lot) for lot in data["lots"]}) != len(data["lots"]):
            raise ValidationError("the same lot is named twice", "lots")


class LiftingBody(Schema):
    reason = _why(required=True)
    evidence = _evidence()


class LiftingView(Schema):
    state = fields.String(required=True, validate=validate.OneOf(("pending", "approved", "rejected")))
    reason = fields.String(required=True)
    evidence = fields.List(fields.String(), required=True)
    requested_by = fields.String(required=True)
    requested_at = fields.AwareDateTime(required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    decided_reason = fields.String(required=True, allow_none=True)


class StopSaleView(Schema):
    stop_sale_id = fields.UUID(required=True, attribute="id")
    product_id = fields.String(required=True)
    lots = fields.List(fields.String(), required=True)
    reason = fields.String(required=True)
    evidence = fields.List(fields.String(), required=True)
    state = fields.String(required=True, validate=validate.OneOf(("ordered", "lifted")))
    ordered_by = fields.String(required=True)
    ordered_at = fields.AwareDateTime(required=True)
    lifted_at = fields.AwareDateTime(required=True, allow_none=True)
    liftings = fields.List(fields.Nested(LiftingView), required=True)


class StopSaleFilters(PageArgs):
    product_id = fields.String(validate=LOT)
    lot = fields.String(validate=LOT)
    state = fields.String(validate=validate.OneOf(("ordered", "lifted")))


class StopSalePage(Schema):
    items = fields.List(fields.Nested(StopSaleView), required=True)
    next_cursor = fields.String(allow_none=True)
