"""The facts about what becomes of goods."""

from collections.abc import Mapping
from typing import Final

from returns.kernel.facts import Of, Returned, about
from returns.kernel.texts import Dispositions
from shared.events import Event
from shared.texts import Id, Lot, Quantity

DISPOSITIONED = "returns.return.dispositioned.v1"


class Dispositioned(Returned):
    return_line_id: Id
    lot: Lot
    quantity: Quantity
    disposition: Dispositions


def dispositioned(
    of: Of, *, return_line_id: str, lot: str, quantity: int, disposition: str
) -> Event[Dispositioned]:
    return about(
        of,
        DISPOSITIONED,
        {"return_line_id": return_line_id, "lot": lot, "quantity": quantity, "disposition": disposition},
    )


PUBLISHED: Final[Mapping[str, type]] = {DISPOSITIONED: Dispositioned}
