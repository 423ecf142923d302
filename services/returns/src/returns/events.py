"""The facts Returns publishes: one builder each. Ids and numbers only; `amount_fen` is the control sum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final, TypedDict

from msgspec import Meta

from returns.domain import reason
from returns.domain.cold_chain import TEMP_CLASSES
from returns.domain.disposition import Disposition
from returns.domain.inspection import Result
from returns.domain.notice import Kind, ReceiptCause, RefusalCause
from shared.events import Event
from shared.texts import (
    LINES_MAX,
    Branch,
    Count,
    Day,
    Fen,
    Id,
    Instant,
    Lot,
    Quantity,
    Reason,
    Reference,
    one_of,
)

REQUESTED = "returns.return.requested.v1"
REFUSED = "returns.return.refused.v1"
APPROVED = "returns.return.approved.v1"
REJECTED = "returns.return.rejected.v1"
PICKUP_CONFIRMED = "returns.return.pickup_confirmed.v1"
PICKUP_BREACHED = "returns.return.pickup_breached.v1"
RECEIVED = "returns.return.received.v1"
RECEIPT_REFUSED = "returns.return.receipt_refused.v1"
INSPECTED = "returns.return.inspected.v1"
DISPOSITIONED = "returns.return.dispositioned.v1"
SETTLED = "returns.return.settled.v1"
CANCELLED = "returns.return.cancelled.v1"
STOP_SALE_ORDERED = "returns.stop_sale.ordered.v1"
STOP_SALE_LIFTED = "returns.stop_sale.lifted.v1"
Kinds = Annotated[str, one_of(Kind)]
Causes = Annotated[str, one_of(RefusalCause)]
ReceiptCauses = Annotated[str, one_of(ReceiptCause)]
Results = Annotated[str, one_of(Result)]
Dispositions = Annotated[str, one_of(Disposition)]
TempClasses = Annotated[str, one_of(TEMP_CLASSES)]
Reasons = Annotated[str, one_of(reason.codes())]
Lots = Annotated[list[Lot], Meta(min_length=1, max_length=LINES_MAX)]


class Returned(TypedDict):
    return_id: Id
    branch_id: Branch


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


class Approved(Returned):
    """`hours` from request to second approval, rounded half up."""

    hours: Count


class Rejected(Returned):
    reason_given: bool


class PickupConfirmed(Returned):
    """`hours` from the order to the confirmation, rounded half up."""

    hours: Count
    on_time: bool


class PickupBreached(Returned):
    due_at: Instant


class ArrivedLine(TypedDict):
    return_line_id: Id
    lot: Lot
    quantity: Quantity


class Received(Returned):
    lines: Annotated[list[ArrivedLine], Meta(min_length=1, max_length=LINES_MAX)]


class ReceiptRefused(Returned):
    return_line_id: Id
    lot: Lot
    cause: ReceiptCauses


class Inspected(Returned):
    return_line_id: Id
    lot: Lot
    result: Results


class Dispositioned(Returned):
    return_line_id: Id
    lot: Lot
    quantity: Quantity
    disposition: Dispositions


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


class StopSale(TypedDict):
    stop_sale_id: Id
    product_id: Lot
    lots: Lots


class StopSaleOrdered(StopSale):
    """From `ordered_at` on nobody sells these lots."""

    reason: Reason
    ordered_at: Instant


class StopSaleLifted(StopSale):
    """The stop ends for all its lots; another stop of the same lot stands."""

    lifted_at: Instant


PUBLISHED: Final[Mapping[str, type]] = {
    REQUESTED: Requested,
    REFUSED: Refused,
    APPROVED: Approved,
    REJECTED: Rejected,
    PICKUP_CONFIRMED: PickupConfirmed,
    PICKUP_BREACHED: PickupBreached,
    RECEIVED: Received,
    RECEIPT_REFUSED: ReceiptRefused,
    INSPECTED: Inspected,
    DISPOSITIONED: Dispositioned,
    SETTLED: Settled,
    CANCELLED: Returned,
    STOP_SALE_ORDERED: StopSaleOrdered,
    STOP_SALE_LIFTED: StopSaleLifted,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Of:
    """Which notice, at which version, on which business day the fact counts."""

    return_id: str
    branch_id: str
    version: int
    day: date


def _event(of: Of, kind: str, data: Mapping[str, Any], amount_fen: int = 0) -> Event[Any]:
    return Event(
        type=kind,
        subject=of.return_id,
        version=of.version,
        day=of.day,
        amount_fen=amount_fen,
        data={"return_id": of.return_id, "branch_id": of.branch_id, **data},
    )


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
    return _event(
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
    return _event(of, REFUSED, {"cause": cause})


def approved(of: Of, *, hours: int) -> Event[Approved]:
    """`hours` from request to second approval, rounded half up."""
    return _event(of, APPROVED, {"hours": hours})


def rejected(of: Of) -> Event[Rejected]:
    return _event(of, REJECTED, {"reason_given": True})


def pickup_confirmed(of: Of, *, hours: int, on_time: bool) -> Event[PickupConfirmed]:
    """`hours` from the order to the confirmation, rounded half up."""
    return _event(of, PICKUP_CONFIRMED, {"hours": hours, "on_time": on_time})


def pickup_breached(of: Of, *, due_at: str) -> Event[PickupBreached]:
    return _event(of, PICKUP_BREACHED, {"due_at": due_at})


def received(of: Of, *, lines: Sequence[ArrivedLine]) -> Event[Received]:
    return _event(of, RECEIVED, {"lines": list(lines)})


def receipt_refused(of: Of, *, return_line_id: str, lot: str, cause: str) -> Event[ReceiptRefused]:
    return _event(of, RECEIPT_REFUSED, {"return_line_id": return_line_id, "lot": lot, "cause": cause})


def inspected(of: Of, *, return_line_id: str, lot: str, result: str) -> Event[Inspected]:
    return _event(of, INSPECTED, {"return_line_id": return_line_id, "lot": lot, "result": result})


def dispositioned(
    of: Of, *, return_line_id: str, lot: str, quantity: int, disposition: str
) -> Event[Dispositioned]:
    return _event(
        of,
        DISPOSITIONED,
        {"return_line_id": return_line_id, "lot": lot, "quantity": quantity, "disposition": disposition},
    )


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
    return _event(
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


def cancelled(of: Of) -> Event[Returned]:
    return _event(of, CANCELLED, {})


def stop_sale_ordered(
    *, stop_sale_id: str, product_id: str, lots: Sequence[str], reason: str, ordered_at: datetime, day: date
) -> Event[StopSaleOrdered]:
    """From `ordered_at` on nobody sells these lots."""
    return Event(
        type=STOP_SALE_ORDERED,
        subject=stop_sale_id,
        version=1,
        day=day,
        data={
            "stop_sale_id": stop_sale_id,
            "product_id": product_id,
            "lots": list(lots),
            "reason": reason,
            "ordered_at": ordered_at.isoformat(),
        },
    )


def stop_sale_lifted(
    *, stop_sale_id: str, product_id: str, lots: Sequence[str], lifted_at: datetime, day: date
) -> Event[StopSaleLifted]:
    """The stop ends for all its lots; another stop of the same lot stands."""
    return Event(
        type=STOP_SALE_LIFTED,
        subject=stop_sale_id,
        version=2,
        day=day,
        data={
            "stop_sale_id": stop_sale_id,
            "product_id": product_id,
            "lots": list(lots),
            "lifted_at": lifted_at.isoformat(),
        },
    )
