"""A sales target as it stands."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`person` and `channel` are '' in a target of the whole branch, of every channel."""

    branch_id: str
    person: str
    channel: str
    month: date
    net_fen: int
    strategy: str
    version: int
