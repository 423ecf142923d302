"""What is known of an event whose facts are taken out."""

from dataclasses import dataclass
from datetime import date


@dataclass(slots=True)
class Withdrawn:
    """`rows` is how many rows of fact tables it had."""

    seq: int
    type: str
    day: date
    branch_id: str | None
    rows: int = 0
