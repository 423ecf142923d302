"""What is told of debts."""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypedDict

from shared.events import Event
from shared.texts import Branch, Count, Day, Fen, Id

RECEIVABLE_SETTLED = "finance.receivable.settled.v1"


class ReceivableSettled(TypedDict):
    """A debt was paid to the last fen; `days_late` is 0 when it was paid by its due day."""

    item_id: Id
    customer_id: Id
    branch_id: Branch
    amount_fen: Fen
    due_on: Day
    settled_on: Day
    days_late: Count


PUBLISHED: Final[Mapping[str, type]] = {RECEIVABLE_SETTLED: ReceivableSettled}


def receivable_settled(
    *,
    item_id: str,
    customer_id: str,
    branch_id: str,
    amount_fen: int,
    due_on: date,
    settled_on: date,
    version: int,
) -> Event[ReceivableSettled]:
    """A debt was paid to the last fen; `days_late` is 0 when it was paid by its due day."""
    return Event(
        type=RECEIVABLE_SETTLED,
        subject=item_id,
        version=version,
        day=settled_on,
        amount_fen=amount_fen,
        data={
            "item_id": item_id,
            "customer_id": customer_id,
            "branch_id": branch_id,
            "amount_fen": amount_fen,
            "due_on": due_on.isoformat(),
            "settled_on": settled_on.isoformat(),
            "days_late": max(0, (settled_on - due_on).days),
        },
    )
