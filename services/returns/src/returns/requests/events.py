"""The facts of asking: ids and numbers only; `amount_fen` is the control sum."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from returns.kernel.facts import Of, Returned, about
from returns.kernel.texts import Kinds, Reasons
from returns.kernel.vocabulary import TEMP_CLASSES, RefusalCause
from shared.events import Event
from shared.texts import LINES_MAX, Day, Fen, Id, Lot, Quantity, Reference, one_of

REQUESTED = "returns.return.requested.v1"
REFUSED = "returns.return.refused.v1"
CANCELLED = "returns.return.cancelled.v1"
Causes = Annotated[str, one_of(RefusalCause)]
TempClasses = Annotated[str, one_of(TEMP_CLASSES)]


class RequestedLine(TypedDict):
    """The worth of the requested quantity: its exact share of the sold line."""

    return_line_id: Id
    sale_line_id: Id
    product_id: Reference
    lot: Lot
    quantity: Quantity
    temp_class: TempClasses
    net_fen: Fen
    tax_fen: Fen


class Requested(Returned):
    number: Reference
    kind: Kinds
    sale_id: Id
    customer_id: Id | None
    reason: Reasons
    requested_on: Day
    lines: Annotated[list[RequestedLine], Meta(min_length=1, max_length=LINES_MAX)]


class Refused(Returned):
    """Recorded and refused at once."""

    cause: Causes


def requested(
    of: Of,
    *,
    number: str,
    kind: str,
    sale_id: str,
    customer_id: str | None,
    reason: str,
    lines: Sequence[RequestedLine],
) -> Event[Requested]:
    """`lines` hold the worth of the requested quantities; their net and tax are the control sum."""
    return about(
        of,
        REQUESTED,
        {
            "number": number,
            "kind": kind,
            "sale_id": sale_id,
            "customer_id": customer_id,
            "reason": reason,
            "requested_on": of.day.isoformat(),
            "lines": list(lines),
        },
        sum(line["net_fen"] + line["tax_fen"] for line in lines),
    )


def refused(of: Of, *, cause: str) -> Event[Refused]:
    return about(of, REFUSED, {"cause": cause})


def cancelled(of: Of) -> Event[Returned]:
    return about(of, CANCELLED, {})


PUBLISHED: Final[Mapping[str, type]] = {REQUESTED: Requested, REFUSED: Refused, CANCELLED: Returned}
