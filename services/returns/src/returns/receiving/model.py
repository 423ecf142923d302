"""What is written down when goods arrive."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from returns.cold_chain import Evidence


class Arrived(Struct, frozen=True, kw_only=True):
    """What arrived of one line: the lot on the goods themselves, quantity 0 where nothing did."""

    return_line_id: UUID
    lot: str
    quantity: int
    cold_chain: Evidence | None


class Record(Struct, frozen=True, kw_only=True):
    """Where the goods are put, and how they came; the temperature in tenths of a degree Celsius."""

    quarantine_location: str
    carrier: str | None
    vehicle: str | None
    dispatch_place: str | None
    dispatched_at: datetime | None
    arrival_decicelsius: int | None


class Receipt(Struct, frozen=True, kw_only=True):
    """`schemas.ReceiptBody` loaded."""

    record: Record
    lines: Sequence[Arrived]
