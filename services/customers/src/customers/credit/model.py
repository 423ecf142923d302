"""A credit: a proposal, and once in effect a version."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is asked for, money in fen. `valid_until` is the last day, None: no end set."""

    limit_fen: int
    overdue_tolerance_fen: int
    on_hold: bool
    valid_until: date | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit(Terms):
    """A proposal, and once in effect a version."""

    credit_id: UUID
    customer_id: UUID
    state: str
    base_version: int
    version: int | None
    requested_by: str
    requested_at: datetime
    effective_at: datetime | None
    subject_hash: str


def current(archive: Sequence[Credit]) -> Credit | None:
    """The newest version in effect."""
    return max(
        (each for each in archive if each.version is not None),
        key=lambda each: each.version or 0,
        default=None,
    )
