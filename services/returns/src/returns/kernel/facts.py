"""What every event about a notice carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict

from shared.events import Event
from shared.texts import Branch, Id


class Returned(TypedDict):
    return_id: Id
    branch_id: Branch


@dataclass(frozen=True, slots=True, kw_only=True)
class Of:
    """Which notice, at which version, on which business day the fact counts."""

    return_id: str
    branch_id: str
    version: int
    day: date


def about(of: Of, kind: str, data: Mapping[str, Any], amount_fen: int = 0) -> Event[Any]:
    """The event of type `kind` about a notice; `amount_fen` is its control sum."""
    return Event(
        type=kind,
        subject=of.return_id,
        version=of.version,
        day=of.day,
        amount_fen=amount_fen,
        data={"return_id": of.return_id, "branch_id": of.branch_id, **data},
    )
