"""What a match posted, as who takes it back needs it."""

from datetime import date
from typing import NamedTuple
from uuid import UUID


class Posted(NamedTuple):
    """An entry that a match posted, and the document it is of."""

    source_id: UUID
    booked_on: date
    entry_id: int
    branch_id: str
