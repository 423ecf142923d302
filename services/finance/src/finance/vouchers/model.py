"""A voucher by hand: what an accountant says, and as it is stored; what it may reverse. Amounts are fen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from finance.vouchers.rules import VoucherLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be booked; department and campaign are '' where none is named."""

    booked_on: date
    branch_id: str
    summary: str
    department: str
    campaign: str
    lines: Sequence[VoucherLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher(Draft):
    """`decided_by` is who posted or rejected it, None of a draft."""

    voucher_id: UUID
    state: str
    total_fen: int
    subject_hash: str
    drafted_by: str
    drafted_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decided_reason: str | None


@dataclass(frozen=True, slots=True)
class Transferred:
    """What a transfer of the year posted: `profit_fen` is what all of them moved, `distribution_fen` what stands there now."""

    year: int
    entries: int
    profit_fen: int
    distribution_fen: int


@dataclass(frozen=True, slots=True)
class Entry:
    """The head of an entry of the journal; `chain_no` is its voucher number once it is sealed."""

    id: int
    booked_on: date
    branch_id: str
    kind: str
    chain_no: int | None
