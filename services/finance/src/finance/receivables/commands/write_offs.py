"""Writing off what will never be paid: asked for, approved by finance and management, then booked.

Source: F21, X1, regulations 3.0c
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from finance import allocations, entries, open_items
from finance.allocations import Match
from finance.book import book_of
from finance.open_items import Item, NewItem
from finance.receivables import rules
from finance.receivables.commands.payments import booking_day, lock_item
from finance.receivables.events import receivable_written_off
from finance.receivables.tables import write_off_decisions
from shared import audit, outbox
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date, new_id
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
    made = tx.conn.execute(
        text(
            "insert into write_offs (write_off_id, item_id, branch_id, amount_fen, reason, state, requested_by,"
            " requested_at) values (:id, :item, :branch, :fen, :reason, 'requested', :actor, :now)"
            " on conflict (item_id) where state = 'requested' do nothing returning write_off_id"
        ),
        {
            "id": new_id(),
            "item": item_id,
            "branch": item.branch_id,
            "fen": wanted,
            "reason": reason,
            "actor": tx.actor.id,
            "now": tx.now,
        },
    ).scalar_one_or_none()
    if made is None:
        raise WriteOffNotPossible("a write-off of this item is being decided")
    write_off_id: UUID = made
    audit.record(tx, "write_off.request", str(write_off_id), after=[str(item_id), wanted, reason])
    return write_off_id


def decide_write_off(tx: Tx, write_off_id: UUID, *, approved: bool, reason: str | None) -> None:
    """One decision; with the last approval it is booked and the debt is closed by as much.

    Raises WriteOffUnknown, AlreadyDecided, RoleNotAwaited, SamePerson, ReasonMissing, WriteOffNotPossible,
    PeriodClosed.
    """
    item_id = tx.conn.execute(
        text("select item_id from write_offs where write_off_id = :id"), {"id": write_off_id}
    ).scalar_one_or_none()
    if item_id is None:
        raise WriteOffUnknown("no such write-off")
    item = open_items.lock(tx.conn, [item_id])[item_id]
    if not tx.actor.may_see(item.branch_id):
        raise WriteOffUnknown("no such write-off")
    row = tx.conn.execute(
        text("select * from write_offs where write_off_id = :id for update"), {"id": write_off_id}
    ).one()
    decision, state = decide_and_store(
        tx,
        write_off_decisions,
        {"write_off_id": write_off_id},
        _approval(row),
        approved=approved,
        reason=reason,
    )
    booked_on = None
    if state == "approved":
        booked_on = _book(tx, row, item)
    if state != "pending":
        tx.conn.execute(
            text("update write_offs set state = :state, booked_on = :day where write_off_id = :id"),
            {
                "state": "written_off" if state == "approved" else "rejected",
                "day": booked_on,
                "id": write_off_id,
            },
        )
    audit.record(tx, "write_off.decide", str(write_off_id), after=[decision.role, approved])


def _approval(row: Row[Any]) -> Approval:
    subject_hash = audit.digest([str(row.item_id), row.amount_fen, row.reason])
    assert subject_hash is not None
    return Approval(required=APPROVERS, excluded=frozenset({row.requested_by}), subject_hash=subject_hash)


def _book(tx: Tx, row: Row[Any], item: Item) -> date:
    if row.amount_fen > item.open_fen:
        raise WriteOffNotPossible("part of it was paid meanwhile; reject it", open_fen=item.open_fen)
    booked_on, reference = booking_day(tx, business_date(tx.now))
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=booked_on,
            branch_id=item.branch_id,
            kind="write_off",
            source_id=str(row.write_off_id),
            postings=rules.write_off(book_of(tx.conn).chart, row.amount_fen),
            customer_id=str(item.customer_id),
            reference=reference,
        ),
        items=[NewItem(fen=-row.amount_fen, due_on=booked_on, kind="write_off")],
    )
    [credit_id] = open_items.of_source(tx.conn, row.write_off_id, "write_off")
    allocations.allocate(
        tx, [Match(credit_id=credit_id, debt_id=item.item_id, fen=row.amount_fen)], booked_on
    )
    version = open_items.change(tx.conn, item.item_id, is_told=True)
    outbox.append(
        tx,
        receivable_written_off(
            item_id=str(item.item_id),
            customer_id=str(item.customer_id),
            branch_id=item.branch_id,
            amount_fen=row.amount_fen,
            version=version,
            day=booked_on,
        ),
    )
    return booked_on
