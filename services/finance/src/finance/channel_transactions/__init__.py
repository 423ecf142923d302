"""What channels call the payments of receipts: an id pays one receipt of a branch, once (ADR-0055)."""

from finance.channel_transactions import tables
from finance.channel_transactions.store import (
    CLAIM,
    PAYMENTS,
    Claims,
    are_named,
    belong_to,
    keep,
    parameters_of,
    refuse_reused,
)
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = [
    "AREA",
    "CLAIM",
    "PAYMENTS",
    "Claims",
    "are_named",
    "belong_to",
    "keep",
    "parameters_of",
    "refuse_reused",
]
