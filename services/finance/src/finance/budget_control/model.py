"""What a document drew."""

from typing import NamedTuple
from uuid import UUID


class Drawn(NamedTuple):
    """What a document drew on a budget for a category, in fen."""

    budget_id: UUID
    category: str
    fen: int
