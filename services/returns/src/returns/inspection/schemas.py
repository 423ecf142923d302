"""JSON of inspections. Bodies refuse unknown fields."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from returns.inspection.rules import CHECKS
from returns.kernel.fields import LINES_MAX, QUANTITY_MAX, Truth, Whole, choice_field, require_each_once
from returns.kernel.vocabulary import Result

CASES_MAX = 1_000_000


ChecksBody = Schema.from_dict(
    {check: choice_field(Result, required=True) for check in CHECKS}, name="InspectionChecks"
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
        require_each_once(data["lines"], "return_line_id")


class SamplingArgs(Schema):
    cases = fields.Integer(required=True, validate=validate.Range(1, CASES_MAX))
    is_intact = fields.Boolean(load_default=True)
    has_anomaly = fields.Boolean(load_default=False)


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
    result = choice_field(Result, required=True)
    accepted_quantity = fields.Integer(required=True)


class SamplingView(Schema):
    cases = fields.Integer(required=True)
    packs_per_case = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "How many packs of each opened case; null: every minimum pack."},
    )
