"""The forms of texts and numbers in this service's JSON. Sizes are bounded in characters."""

from typing import Any

from marshmallow import ValidationError, fields, validate

from shared.lots import canonical
from shared.texts import Branch, Lot, Reference
from shared.validators import line, note, of

LINES_MAX = 200
PROOFS_MAX = 20
QUANTITY_MAX = 2**31 - 1
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


def reference_field(**kwargs: Any) -> fields.String:
    """An id or number of ours or of a till."""
    return fields.String(validate=of(Reference), **kwargs)


def lot_field(**kwargs: Any) -> fields.String:
    return fields.String(validate=of(Lot), **kwargs)


def line_field(**kwargs: Any) -> fields.String:
    """A place, a vehicle, a device, a document elsewhere."""
    return fields.String(validate=line(128), **kwargs)


def branch_field(**kwargs: Any) -> fields.String:
    return fields.String(validate=of(Branch), **kwargs)


def note_field(most: int, **kwargs: Any) -> fields.String:
    return fields.String(validate=note(most), **kwargs)


def choice_field(kinds: Any, **kwargs: Any) -> fields.String:
    return fields.String(validate=validate.OneOf([kind.value for kind in kinds]), **kwargs)


def require_each_once(lines: list[dict[str, Any]], *names: str) -> None:
    keys = [tuple(canonical(line[name]) if name == "lot" else line[name] for name in names) for line in lines]
    if len(set(keys)) != len(keys):
        raise ValidationError("the same line is named twice", "lines")
