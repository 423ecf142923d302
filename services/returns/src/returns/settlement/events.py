"""The facts about settlements; `amount_fen` is the control sum."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from returns.kernel.facts import Of, Returned, about
from returns.kernel.texts import Dispositions, Reasons
from shared.events import Event
from shared.texts import LINES_MAX, Day, Fen, Id, Lot, Quantity, Reference

SETTLED = "returns.return.settled.v1"


class SettledLine(TypedDict):
    """The accepted quantity with its exact share of the sold line."""

    return_line_id: Id
    sale_line_id: Id
    lot: Lot
    quantity: Quantity
    disposition: Dispositions
    net_fen: Fen
    tax_fen: Fen
    cost_fen: Fen


class Settled(Returned):
    """Accepted quantities only; finance refunds `refund_fen`."""

    number: Reference
    sale_id: Id
    customer_id: Id | None
    reason: Reasons
    settled_on: Day
    lines: Annotated[list[SettledLine], Meta(min_length=1, max_length=LINES_MAX)]
    refund_fen: Fen


def settled(
    of: Of,
    *,
    number: str,
    sale_id: str,
    customer_id: str | None,
    reason: str,
    lines: Sequence[SettledLine],
) -> Event[Settled]:
    """Accepted quantities only, with their exact share of the sold lines; finance refunds `refund_fen`."""
    refund_fen = sum(line["net_fen"] + line["tax_fen"] for line in lines)
    return about(
        of,
        SETTLED,
        {
            "number": number,
            "sale_id": sale_id,
            "customer_id": customer_id,
            "reason": reason,
            "settled_on": of.day.isoformat(),
            "lines": list(lines),
            "refund_fen": refund_fen,
        },
        refund_fen,
    )


PUBLISHED: Final[Mapping[str, type]] = {SETTLED: Settled}
