"""Codes that are printed on packs: of a product, and of one pack alone (药品追溯码). Source: G15, G16, ADR-0055"""

from typing import Annotated

from msgspec import Meta
from stdnum import ean

from shared.errors import Invalid

GTIN_DIGITS = 14
TRACE_CODES_MAX = 1_000
"""Of one line of a receipt."""


Gtin = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=14,
        pattern=r"\A([0-9]{8}|[0-9]{12,14})\Z",
        description="a GTIN of 8, 12, 13 or 14 digits, the last of them its check digit",
    ),
]


LongGtin = Annotated[
    str,
    Meta(min_length=14, max_length=14, pattern=r"\A[0-9]{14}\Z", description="a GTIN filled up to 14 digits"),
]


TraceCode = Annotated[
    str,
    Meta(
        min_length=20,
        max_length=20,
        pattern=r"\A8[0-9]{19}\Z",
        description="a trace code of 20 digits, beginning with 8",
    ),
]


class GtinInvalid(Invalid):
    code = "gtin_invalid"
    cure = "Correct the GTIN: its last digit does not fit the others, or it stands there twice."


def fits(gtin: str) -> bool:
    """Whether its last digit is the check digit of the others."""
    return bool(ean.is_valid(gtin))


def long(gtin: str) -> str:
    """The same with 14 digits, as it is kept and compared."""
    return gtin.zfill(GTIN_DIGITS)
