"""The shapes of values that many requests have: those of receipts (`finance.domain.receipt`), as marshmallow says them."""

from datetime import date
from typing import Any

from marshmallow import validate

from finance.domain.receipt import CATEGORY_PATTERN, NUMBER_PATTERN, VISIBLE_PATTERN

BRANCH = validate.Regexp(r"^[A-Z0-9][A-Z0-9_\-]{0,31}$(?!\n)")
MONTH = validate.Regexp(r"^20[0-9]{2}-(0[1-9]|1[0-2])$(?!\n)")
DAY = validate.Range(date(2000, 1, 1), date(2099, 12, 31))
NUMBER = [validate.Length(1, 64), validate.Regexp(NUMBER_PATTERN)]
"""A receipt's number, a product's id, a reference of a bank."""
CATEGORY = [validate.Length(1, 40), validate.Regexp(CATEGORY_PATTERN)]
OPTIONAL_CODE = validate.Regexp(r"^([A-Z0-9][A-Z0-9\-]{1,31})?$(?!\n)")
OPTIONAL_NAME = validate.Regexp(r"^([a-z][a-z0-9_]{0,39})?$(?!\n)")
PLAIN = validate.Regexp(r"^[^\x00-\x1f\x7f\ud800-\udfff]*$")
"""Text without control characters, or none at all."""
MAYBE: dict[str, Any] = {"load_default": None, "allow_none": True}


def visible(longest: int) -> list[validate.Validator]:
    """Text without control characters, and at least one."""
    return [validate.Length(1, longest), validate.Regexp(VISIBLE_PATTERN)]


LOT = visible(64)
TEXT = visible(200)
REASON = visible(500)
PERSON = visible(128)
