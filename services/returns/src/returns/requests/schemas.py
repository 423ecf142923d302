"""JSON of a request. Bodies refuse unknown fields."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from returns.kernel import reasons
from returns.kernel.fields import (
    LINES_MAX,
    PROOFS_MAX,
    QUANTITY_MAX,
    Truth,
    Whole,
    branch_field,
    choice_field,
    line_field,
    lot_field,
    note_field,
    reference_field,
    require_each_once,
)
from returns.kernel.vocabulary import Kind


class PackageBody(Schema):
    unopened = Truth(required=True, metadata={"description": "The outer and inner packs were never opened."})
    intact = Truth(required=True, metadata={"description": "No damage, no sign of use or tampering."})


class RequestedLine(Schema):
    sale_line_id = reference_field(required=True)
    lot = lot_field(required=True)
    quantity = Whole(required=True, validate=validate.Range(1, QUANTITY_MAX))


class ReturnRequest(Schema):
    """One notice covers one sale, any number of its lines."""

    branch_id = branch_field(required=True, metadata={"description": "The branch that made the sale."})
    kind = choice_field(Kind, required=True)
    sale_id = reference_field(load_default=None, metadata={"description": "This or `receipt_number`."})
    receipt_number = reference_field(load_default=None)
    reason = fields.String(required=True, validate=validate.OneOf(reasons.codes()))
    reason_text = note_field(
        500, load_default=None, metadata={"description": "Needed for `other`. No names."}
    )
    package = fields.Nested(PackageBody, required=True)
    proof_refs = fields.List(line_field(), load_default=list, validate=validate.Length(max=PROOFS_MAX))
    lines = fields.List(fields.Nested(RequestedLine), required=True, validate=validate.Length(1, LINES_MAX))

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if (data["sale_id"] is None) == (data["receipt_number"] is None):
            raise ValidationError("give either sale_id or receipt_number", "sale_id")
        if data["reason"] == "other" and data["reason_text"] is None:
            raise ValidationError("say what the other reason is", "reason_text")
        require_each_once(data["lines"], "sale_line_id", "lot")


class CancellationBody(Schema):
    reason = note_field(500, required=True)
