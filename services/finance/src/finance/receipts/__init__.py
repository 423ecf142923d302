"""The directory of receipts: a number is used once by its branch, and leads to the sale that it became."""

from finance.receipts import tables
from finance.receipts.store import (
    CONTENT,
    RECEIPTS,
    SALE_PART,
    Known,
    belong_to,
    claim_receipts,
    find_receipt,
    known_receipts,
)
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = [
    "AREA",
    "CONTENT",
    "RECEIPTS",
    "SALE_PART",
    "Known",
    "belong_to",
    "claim_receipts",
    "find_receipt",
    "known_receipts",
]
