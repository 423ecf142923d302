"""The facts of receivables that finance publishes, one builder each; ids and numbers only.

`finance.receivable.settled` is told by finance.open_items, where items are settled.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Final, TypedDict

from shared.events import Event
from shared.texts import Branch, Day, Fen, Id, Many, Name

PAYMENT_RECEIVED = "finance.payment.received.v1"
PAYMENT_REVERSED = "finance.payment.reversed.v1"
RECEIVABLE_WRITTEN_OFF = "finance.receivable.written_off.v1"


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


class ReceivableWrittenOff(TypedDict):
    item_id: Id
    customer_id: Id
    branch_id: Branch
    amount_fen: Fen


PUBLISHED: Final[Mapping[str, type]] = {
    PAYMENT_RECEIVED: PaymentReceived,
    PAYMENT_REVERSED: PaymentReversed,
    RECEIVABLE_WRITTEN_OFF: ReceivableWrittenOff,
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
