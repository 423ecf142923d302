"""The forms of texts in this service's JSON. Sizes are bounded in characters."""

from typing import Any

from marshmallow import fields, validate

from shared.paging import PageArgs
from shared.texts import Branch, Lot, Reference
from shared.validators import note, of

SUBJECT_CHARS_MAX = 200
TEXT = note()


def branch(**more: Any) -> fields.String:
    return fields.String(validate=of(Branch), metadata={"example": "B001"}, **more)


def reference(**more: Any) -> fields.String:
    """An id or number given by another service or system."""
    return fields.String(load_default=None, allow_none=True, validate=of(Reference), **more)


def printed() -> fields.String:
    """As tills print lots and product numbers."""
    return fields.String(load_default=None, allow_none=True, validate=of(Lot))


def one_of(values: Any, **more: Any) -> fields.String:
    return fields.String(validate=validate.OneOf([str(value) for value in values]), **more)


def text_note(**more: Any) -> fields.String:
    return fields.String(validate=TEXT, **more)


class BranchFilters(PageArgs):
    branch_id = branch()
