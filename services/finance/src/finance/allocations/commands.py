"""Credits set against debts: nothing is booked, and a debt that is paid to the last fen is told.

Source: F13, F15, F16, I28, model 3.2 (Receivable)
"""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import Connection

from finance import dunning
from finance.allocations import store
from finance.allocations.events import receivable_allocated, receivable_settled
from finance.allocations.rules import Match, check
from finance.open_items import Item, change, lock, of_source
from shared import outbox
from shared.transaction import Tx


def allocate(tx: Tx, matches: Sequence[Match], on: date) -> list[UUID]:
    """Set credits against debts; nothing is booked. Returns the allocations.

    Effective on `on`, or on the later booking day of the two items. A debt that is paid to the last fen is told.
    Raises ReceivableUnknown, AllocationNotPossible, AllocationExceedsOpen.
    """
    items = lock(tx.conn, {each for match in matches for each in (match.credit_id, match.debt_id)})
    made = []
    for match in matches:
        credit, debt = items[match.credit_id], items[match.debt_id]
        check(match, credit, debt)
        day = max(on, credit.booked_on, debt.booked_on)
        allocation_id = store.add(tx, match, day)
        outbox.append(tx, receivable_allocated(allocation_id, match, credit, day))
        made.append(allocation_id)
        items[credit.item_id] = _moved(tx, credit, match.fen, day, kind=credit.kind)
        items[debt.item_id] = _moved(tx, debt, -match.fen, day, kind=credit.kind)
    return made


def _moved(tx: Tx, item: Item, fen: int, day: date, *, kind: str) -> Item:
    """Move what is open by `fen`; a debt that comes to 0 is settled, unless a write-off ended it."""
    left = item.open_fen + fen
    written_off = -fen if kind == "write_off" and item.amount_fen > 0 else 0
    version = change(
        tx.conn,
        item.item_id,
        is_told=True,
        open_fen=left,
        written_off_fen=item.written_off_fen + written_off,
        settled_on=day if left == 0 else None,
    )
    if item.amount_fen > 0 and left == 0:
        dunning.settle(tx, item.item_id, day)
        if item.written_off_fen + written_off == 0:
            outbox.append(
                tx,
                receivable_settled(
                    item_id=str(item.item_id),
                    customer_id=str(item.customer_id),
                    branch_id=item.branch_id,
                    amount_fen=item.amount_fen,
                    due_on=item.due_on,
                    settled_on=day,
                    version=version,
                ),
            )
    return replace(item, open_fen=left, version=version, written_off_fen=item.written_off_fen + written_off)


def oldest_first(conn: Connection, debts: Collection[UUID], credit_id: UUID, fen: int) -> list[Match]:
    """Spread `fen` of a credit over debts, first due first, as far as it goes."""
    matches = []
    locked = lock(conn, debts)
    for item in sorted(locked.values(), key=lambda each: (each.due_on, each.booked_on, each.item_id)):
        part = min(fen, item.open_fen)
        if part > 0:
            matches.append(Match(credit_id=credit_id, debt_id=item.item_id, fen=part))
            fen -= part
    return matches


def match_refund(tx: Tx, *, refund_id: UUID, sale_id: UUID, on: date) -> None:
    """Set a refund to credit against what its sale still leaves open; what is left stays a credit."""
    for credit_id in of_source(tx.conn, refund_id, "credit_note"):
        credit = lock(tx.conn, [credit_id])[credit_id]
        debts = of_source(tx.conn, sale_id, "sale")
        matches = oldest_first(tx.conn, debts, credit_id, -credit.open_fen)
        if matches:
            allocate(tx, matches, on)
