"""The facts Returns publishes: one builder each. Ids and numbers only; `amount_fen` is the control sum."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from shared.events import Event

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
PUBLISHED = (
    REQUESTED,
    REFUSED,
    APPROVED,
    REJECTED,
    PICKUP_CONFIRMED,
    PICKUP_BREACHED,
    RECEIVED,
    RECEIPT_REFUSED,
    INSPECTED,
    DISPOSITIONED,
    SETTLED,
    CANCELLED,
    STOP_SALE_ORDERED,
    STOP_SALE_LIFTED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Of:
    """Which notice, at which version, on which business day the fact counts."""

    return_id: str
    branch_id: str
    version: int
    day: date


def _event(of: Of, kind: str, data: dict[str, Any], amount_fen: int = 0) -> Event:
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
    lines: Sequence[dict[str, Any]],
) -> Event:
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


def refused(of: Of, *, cause: str) -> Event:
    return _event(of, REFUSED, {"cause": cause})


def approved(of: Of, *, hours: int) -> Event:
    """`hours` from request to second approval, rounded half up."""
    return _event(of, APPROVED, {"hours": hours})


def rejected(of: Of) -> Event:
    return _event(of, REJECTED, {"reason_given": True})


def pickup_confirmed(of: Of, *, hours: int, on_time: bool) -> Event:
    """`hours` from the order to the confirmation, rounded half up."""
    return _event(of, PICKUP_CONFIRMED, {"hours": hours, "on_time": on_time})


def pickup_breached(of: Of, *, due_at: str) -> Event:
    return _event(of, PICKUP_BREACHED, {"due_at": due_at})


def received(of: Of, *, lines: Sequence[dict[str, Any]]) -> Event:
    return _event(of, RECEIVED, {"lines": list(lines)})


def receipt_refused(of: Of, *, return_line_id: str, lot: str, cause: str) -> Event:
    return _event(of, RECEIPT_REFUSED, {"return_line_id": return_line_id, "lot": lot, "cause": cause})


def inspected(of: Of, *, return_line_id: str, lot: str, result: str) -> Event:
    return _event(of, INSPECTED, {"return_line_id": return_line_id, "lot": lot, "result": result})


def dispositioned(of: Of, *, return_line_id: str, lot: str, quantity: int, disposition: str) -> Event:
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
    lines: Sequence[dict[str, Any]],
) -> Event:
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


def cancelled(of: Of) -> Event:
    return _event(of, CANCELLED, {})


def stop_sale_ordered(
    *, stop_sale_id: str, product_id: str, lots: Sequence[str], reason: str, ordered_at: datetime, day: date
) -> Event:
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
) -> Event:
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
