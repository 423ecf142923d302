"""The facts of receivables that finance publishes, one builder each; ids and numbers only.

`finance.receivable.settled` is told by finance.open_items, where items are settled.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from shared.events import Event

PAYMENT_RECEIVED = "finance.payment.received.v1"
PAYMENT_REVERSED = "finance.payment.reversed.v1"
RECEIVABLE_OVERDUE = "finance.receivable.overdue.v1"
RECEIVABLE_WRITTEN_OFF = "finance.receivable.written_off.v1"
DUNNING_LEVEL_REACHED = "finance.dunning.level_reached.v1"
PUBLISHED = (
    PAYMENT_RECEIVED,
    PAYMENT_REVERSED,
    RECEIVABLE_OVERDUE,
    RECEIVABLE_WRITTEN_OFF,
    DUNNING_LEVEL_REACHED,
)


def payment_received(
    *,
    payment_id: str,
    customer_id: str,
    branch_id: str,
    tender: str,
    amount_fen: int,
    received_on: date,
    day: date,
    allocations: Sequence[dict[str, Any]],
) -> Event:
    """`allocations` are {item_id, fen} made with the payment; `day` is its booking day."""
    return Event(
        type=PAYMENT_RECEIVED,
        subject=payment_id,
        version=1,
        day=day,
        amount_fen=amount_fen,
        data={
            "payment_id": payment_id,
            "customer_id": customer_id,
            "branch_id": branch_id,
            "tender": tender,
            "amount_fen": amount_fen,
            "received_on": received_on.isoformat(),
            "allocations": list(allocations),
        },
    )


def payment_reversed(
    *, payment_id: str, customer_id: str, branch_id: str, amount_fen: int, day: date
) -> Event:
    return Event(
        type=PAYMENT_REVERSED,
        subject=payment_id,
        version=2,
        day=day,
        amount_fen=amount_fen,
        data={
            "payment_id": payment_id,
            "customer_id": customer_id,
            "branch_id": branch_id,
            "amount_fen": amount_fen,
        },
    )


def receivable_overdue(
    *,
    item_id: str,
    customer_id: str,
    branch_id: str,
    days: int,
    amount_fen: int,
    version: int,
    day: date,
) -> Event:
    """Told when a debt falls overdue and each time it enters an older bucket; `amount_fen` is what is open."""
    return Event(
        type=RECEIVABLE_OVERDUE,
        subject=item_id,
        version=version,
        day=day,
        amount_fen=amount_fen,
        data={
            "item_id": item_id,
            "customer_id": customer_id,
            "branch_id": branch_id,
            "days": days,
            "amount_fen": amount_fen,
        },
    )


def receivable_written_off(
    *, item_id: str, customer_id: str, branch_id: str, amount_fen: int, version: int, day: date
) -> Event:
    return Event(
        type=RECEIVABLE_WRITTEN_OFF,
        subject=item_id,
        version=version,
        day=day,
        amount_fen=amount_fen,
        data={
            "item_id": item_id,
            "customer_id": customer_id,
            "branch_id": branch_id,
            "amount_fen": amount_fen,
        },
    )


def dunning_level_reached(
    *,
    case_id: str,
    item_id: str,
    customer_id: str,
    branch_id: str,
    level: int,
    kind: str,
    days: int,
    amount_fen: int,
    promise_broken: bool,
    version: int,
    day: date,
) -> Event:
    """The action of a level is due; at `letter` customers may suspend trade with the customer."""
    return Event(
        type=DUNNING_LEVEL_REACHED,
        subject=case_id,
        version=version,
        day=day,
        amount_fen=amount_fen,
        data={
            "case_id": case_id,
            "item_id": item_id,
            "customer_id": customer_id,
            "branch_id": branch_id,
            "level": level,
            "kind": kind,
            "days": days,
            "amount_fen": amount_fen,
            "promise_broken": promise_broken,
        },
    )
