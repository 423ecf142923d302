"""What customers tell of how much may be owed."""

from datetime import date
from uuid import UUID

from msgspec import Struct

from shared.texts import Fen, Version


class CreditChanged(Struct, frozen=True):
    """customers.credit.changed.v1"""

    customer_id: UUID
    limit_fen: Fen
    overdue_tolerance_fen: Fen
    on_hold: bool
    credit_version: Version
    valid_until: date | None = None


CREDIT_CHANGED = "customers.credit.changed.v1"
