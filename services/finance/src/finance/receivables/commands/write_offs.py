"""Writing off what will never be paid: asked for, approved by finance and management, then booked.

Source: F21, X1, regulations 3.0c
"""

from datetime import date
from uuid import UUID

from finance import allocations, entries, open_items
from finance.allocations import Match
from finance.book import book_of
from finance.open_items import Item, NewItem
from finance.receivables import rules, store
from finance.receivables.commands.payments import booking_day, lock_item
from finance.receivables.events import receivable_written_off
from finance.receivables.model import WriteOff
from shared import audit, outbox
from shared.approvals import Approval
from shared.clock import business_date
from shared.errors import Conflict, NotFound
from shared.transaction import Tx

APPROVERS = frozenset({"finance_head", "management"})


class WriteOffUnknown(NotFound):
    code = "write_off_unknown"
    cure = "Look it up in the list of the item's write-offs."


class WriteOffNotPossible(Conflict):
    """The item is not an open debt, not so much of it is open, or a request is pending."""

    code = "write_off_not_possible"
    cure = "Write off at most what is open, when no other write-off of the item waits."


def request_write_off(tx: Tx, item_id: UUID, fen: int | None, reason: str) -> UUID:
    """Ask to write off a debt, all that is open unless `fen` says less. Raises ReceivableUnknown, WriteOffNotPossible."""
    item = lock_item(tx, item_id)
    wanted = item.open_fen if fen is None else fen
    if not 0 < wanted <= item.open_fen:
        raise WriteOffNotPossible("only what is open of a debt can be written off", open_fen=item.open_fen)
    made = store.request_write_off(tx, item, wanted, reason)
    if made is None:
        raise WriteOffNotPossible("a write-off of this item is being decided")
    audit.record(tx, "write_off.request", str(made), after=[str(item_id), wanted, reason])
    return made


def decide_write_off(tx: Tx, write_off_id: UUID, *, approved: bool, reason: str | None) -> None:
    """One decision; with the last approval it is booked and the debt is closed by as much.

    Raises WriteOffUnknown, AlreadyDecided, RoleNotAwaited, SamePerson, ReasonMissing, WriteOffNotPossible,
    PeriodClosed.
    """
    item_id = store.item_of_write_off(tx, write_off_id)
    if item_id is None:
        raise WriteOffUnknown("no such write-off")
    item = open_items.lock(tx.conn, [item_id])[item_id]
    if not tx.actor.may_see(item.branch_id):
        raise WriteOffUnknown("no such write-off")
    asked = store.lock_write_off(tx, write_off_id)
    approval = Approval(
        required=APPROVERS,
        excluded=frozenset({asked.requested_by}),
        subject_hash=audit.digest([str(asked.item_id), asked.amount_fen, asked.reason]) or "",
    )
    decision, state = store.decide(tx, asked, approval, approved=approved, reason=reason)
    if state == "approved":
        store.settle_write_off(tx, asked, "written_off", _book(tx, asked, item))
    elif state == "rejected":
        store.settle_write_off(tx, asked, "rejected", None)
    audit.record(tx, "write_off.decide", str(write_off_id), after=[decision.role, approved])


def _book(tx: Tx, asked: WriteOff, item: Item) -> date:
    if asked.amount_fen > item.open_fen:
        raise WriteOffNotPossible("part of it was paid meanwhile; reject it", open_fen=item.open_fen)
    booked_on, reference = booking_day(tx, business_date(tx.now))
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=booked_on,
            branch_id=item.branch_id,
            kind="write_off",
            source_id=str(asked.write_off_id),
            postings=rules.write_off(book_of(tx.conn).chart, asked.amount_fen),
            customer_id=str(item.customer_id),
            reference=reference,
        ),
        items=[NewItem(fen=-asked.amount_fen, due_on=booked_on, kind="write_off")],
    )
    [credit_id] = open_items.of_source(tx.conn, asked.write_off_id, "write_off")
    allocations.allocate(
        tx, [Match(credit_id=credit_id, debt_id=item.item_id, fen=asked.amount_fen)], booked_on
    )
    version = open_items.change(tx.conn, item.item_id, is_told=True)
    outbox.append(
        tx,
        receivable_written_off(
            item_id=str(item.item_id),
            customer_id=str(item.customer_id),
            branch_id=item.branch_id,
            amount_fen=asked.amount_fen,
            version=version,
            day=booked_on,
        ),
    )
    return booked_on
