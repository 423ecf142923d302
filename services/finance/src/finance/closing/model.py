"""What is asked of a closed month."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Reopening:
    """A request to open a month again."""

    reopening_id: UUID
    state: str
    subject_hash: str
    requested_by: str
