"""The facts of receivables that finance publishes, one builder each; ids and numbers only.

`finance.receivable.settled` is told by finance.open_items, where items are settled.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Final, TypedDict

from shared.events import Event
from shared.texts import Branch, Count, Day, Fen, Id, Many, Name

PAYMENT_RECEIVED = "finance.payment.received.v1"
PAYMENT_REVERSED = "finance.payment.reversed.v1"
RECEIVABLE_OVERDUE = "finance.receivable.overdue.v1"
RECEIVABLE_WRITTEN_OFF = "finance.receivable.written_off.v1"
DUNNING_LEVEL_REACHED = "finance.dunning.level_reached.v1"


class Allocation(TypedDict):
    item_id: Id
    fen: Fen


class PaymentReceived(TypedDict):
    """`allocations` were made with the payment; its day is the booking day."""

    payment_id: Id
    customer_id: Id
    branch_id: Branch
    tender: Name
    amount_fen: Fen
    received_on: Day
    allocations: Annotated[list[Allocation], Many]


class PaymentReversed(TypedDict):
    payment_id: Id
    customer_id: Id
    branch_id: Branch
    amount_fen: Fen


class ReceivableOverdue(TypedDict):
    """Told when a debt falls overdue and each time it enters an older bucket; `amount_fen` is what is open."""

    item_id: Id
    customer_id: Id
    branch_id: Branch
    days: Count
    amount_fen: Fen


class ReceivableWrittenOff(TypedDict):
    item_id: Id
    customer_id: Id
    branch_id: Branch
    amount_fen: Fen


class DunningLevelReached(TypedDict):
    """The action of a level is due; at `letter` customers may suspend trade with the customer."""

    case_id: Id
    item_id: Id
    customer_id: Id
    branch_id: Branch
    level: Count
    kind: Name
    days: Count
    amount_fen: Fen
    promise_broken: bool


PUBLISHED: Final[Mapping[str, type]] = {
    PAYMENT_RECEIVED: PaymentReceived,
    PAYMENT_REVERSED: PaymentReversed,
    RECEIVABLE_OVERDUE: ReceivableOverdue,
    RECEIVABLE_WRITTEN_OFF: ReceivableWrittenOff,
    DUNNING_LEVEL_REACHED: DunningLevelReached,
}


def payment_received(
    *,
    payment_id: str,
    customer_id: str,
    branch_id: str,
    tender: str,
    amount_fen: int,
    received_on: date,
    day: date,
    allocations: Sequence[Allocation],
) -> Event[PaymentReceived]:
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
) -> Event[PaymentReversed]:
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
) -> Event[ReceivableOverdue]:
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
) -> Event[ReceivableWrittenOff]:
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
) -> Event[DunningLevelReached]:
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
