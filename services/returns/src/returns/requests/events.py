"""The facts of asking: ids and numbers only; `amount_fen` is the control sum."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from returns.kernel.facts import Of, Returned, about
from returns.kernel.texts import Kinds, Reasons, TempClasses
from returns.kernel.vocabulary import RefusalCause
from shared.events import Event
from shared.texts import LINES_MAX, Day, Fen, Id, Lot, Many, Quantity, Reference, one_of

REQUESTED = "returns.return.requested.v1"
REFUSED = "returns.return.refused.v1"
CANCELLED = "returns.return.cancelled.v1"
Causes = Annotated[str, one_of(RefusalCause)]


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
    """Recorded and refused at once; sale and customer are null where none of ours was named."""

    cause: Causes
    kind: Kinds
    reason: Reasons
    sale_id: Id | None
    customer_id: Id | None
    product_ids: Annotated[list[Reference], Many]


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


def refused(
    of: Of,
    *,
    cause: str,
    kind: str,
    reason: str,
    sale_id: str | None,
    customer_id: str | None,
    product_ids: Sequence[str],
) -> Event[Refused]:
    """`product_ids` are those of the sold lines that were asked for, as far as they are ours."""
    return about(
        of,
        REFUSED,
        {
            "cause": cause,
            "kind": kind,
            "reason": reason,
            "sale_id": sale_id,
            "customer_id": customer_id,
            "product_ids": list(product_ids),
        },
    )


def cancelled(of: Of) -> Event[Returned]:
    return about(of, CANCELLED, {})


PUBLISHED: Final[Mapping[str, type]] = {REQUESTED: Requested, REFUSED: Refused, CANCELLED: Returned}
