"""JSON of dispositions. Bodies refuse unknown fields."""

from typing import Any

from marshmallow import Schema, fields, validate, validates_schema

from returns.kernel.fields import LINES_MAX, choice_field, require_each_once
from returns.kernel.vocabulary import Disposition


class DisposedLine(Schema):
    return_line_id = fields.UUID(required=True)
    disposition = choice_field(Disposition, required=True)


class DispositionBody(Schema):
    lines = fields.List(fields.Nested(DisposedLine), required=True, validate=validate.Length(1, LINES_MAX))

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        require_each_once(data["lines"], "return_line_id")
