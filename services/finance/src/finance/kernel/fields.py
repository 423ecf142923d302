"""The shapes of values that many requests have: the types of `shared.texts`, as marshmallow checks them."""

from typing import Any

from marshmallow import fields, validate

from shared import validators, words
from shared.categories import CategoryCode
from shared.paging import PageArgs
from shared.texts import PERSON_CHARS_MAX, REASON_CHARS_MAX, Branch, Label, Lot, Month, Name, Reference
from shared.validators import line, maybe_line, of

BRANCH = of(Branch)


MONTH = of(Month)


NUMBER = of(Reference)
"""A receipt's number, a product's id, a reference of a bank."""


CATEGORY = of(CategoryCode)
"""Of goods."""


EXPENSE_CATEGORY = of(Name)


_CODE = r"[A-Z0-9][A-Z0-9\-]{1,31}"


CODE = validate.Regexp(rf"\A{_CODE}\Z", error=words.CAPITAL_CODE)
"""Of a campaign, a project or a plan."""


OPTIONAL_CODE = validate.Regexp(rf"\A({_CODE})?\Z", error=words.CAPITAL_CODE)


OPTIONAL_NAME = validate.Regexp(r"\A([a-z][a-z0-9_]{0,39})?\Z", error=words.NAME)


MAYBE: dict[str, Any] = {"load_default": None, "allow_none": True}


DAY = validators.DAY


LOT = of(Lot)


TEXT = of(Label)


REASON = line(REASON_CHARS_MAX)


MAYBE_REASON = maybe_line(REASON_CHARS_MAX)


PERSON = line(PERSON_CHARS_MAX)


INVOICE_WORDS = "must be 4 to 40 capital letters and digits, as printed on the invoice"


LINE_WORDS = "must be a line of the statement, written like operating.sales"


def count(largest: int, **kwargs: object) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(1, largest), **kwargs)  # type: ignore[arg-type]


DAY_DOC = {"example": "2026-03-31"}


class DaysArgs(PageArgs):
    """Days from `from` until `until`, both included."""

    branch_id = fields.String(load_default=None, validate=BRANCH)
    customer_id = fields.UUID(load_default=None)
    first = fields.Date(load_default=None, validate=DAY, data_key="from", metadata=DAY_DOC)
    until = fields.Date(load_default=None, validate=DAY, metadata=DAY_DOC)
