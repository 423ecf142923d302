"""Months and branches as the API reads and writes them."""

import re
from datetime import date
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields

from shared.errors import Invalid
from shared.texts import MONTH_PATTERN, Branch
from shared.validators import of

MONTH = re.compile(MONTH_PATTERN)


def parse_month(value: str) -> date:
    """`2017-03` → its first day. Raises ValidationError."""
    if not MONTH.match(value):
        raise ValidationError("must be a month such as 2017-03")
    return date.fromisoformat(f"{value}-01")


class MonthField(fields.Field[date]):
    """A month as `2017-03`, in Python its first day."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            metadata={"type": "string", "pattern": MONTH_PATTERN, "example": "2017-03"}, **kwargs
        )

    def _serialize(self, value: date | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{value:%Y-%m}"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str):
            raise ValidationError("must be a month such as 2017-03")
        return parse_month(value)


class BranchArgs(Schema):
    """`branch_id` left out means the whole chain."""

    branch_id = fields.String(load_default=None, validate=of(Branch), metadata={"example": "S1"})


MONTH_PARAMETER: Final = {
    "name": "month",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": MONTH_PATTERN},
    "example": "2017-03",
}


class MonthInvalid(Invalid):
    code = "month_invalid"
    cure = "Write the month as YYYY-MM."


def month_in_path(value: str) -> date:
    try:
        return parse_month(value)
    except ValidationError as error:
        raise MonthInvalid("a month is written as 2017-03") from error
