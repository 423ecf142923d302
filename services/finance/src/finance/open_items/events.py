"""What is told of open items as they are written: what overdue ratio, days outstanding and collection are counted from."""

from collections.abc import Mapping
from typing import Final, TypedDict

from finance.open_items.rules import Opened
from shared.events import Event
from shared.texts import Branch, Day, Id, Name, SumFen

RECEIVABLE_OPENED = "finance.receivable.opened.v1"


class ReceivableOpened(TypedDict):
    """An open item was written: a debt, or a credit such as a credit note or a payment, whose amount is below 0.

    `source_id` is the document that made it; one document makes an item for each instalment.
    """

    item_id: Id
    customer_id: Id
    branch_id: Branch
    kind: Name
    source_id: Id
    booked_on: Day
    due_on: Day
    amount_fen: SumFen


PUBLISHED: Final[Mapping[str, type]] = {RECEIVABLE_OPENED: ReceivableOpened}


def receivable_opened(item: Opened) -> Event[ReceivableOpened]:
    """The item as it was written, whatever has become of it since; its day is the booking day."""
    return Event(
        type=RECEIVABLE_OPENED,
        subject=str(item.item_id),
        version=item.version,
        day=item.booked_on,
        amount_fen=abs(item.amount_fen),
        data={
            "item_id": str(item.item_id),
            "customer_id": str(item.customer_id),
            "branch_id": item.branch_id,
            "kind": item.kind,
            "source_id": str(item.source_id),
            "booked_on": item.booked_on.isoformat(),
            "due_on": item.due_on.isoformat(),
            "amount_fen": item.amount_fen,
        },
    )
