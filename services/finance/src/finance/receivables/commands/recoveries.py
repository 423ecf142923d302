"""What was written off and is paid after all: the debt stands again by as much, and the money pays it.

Source: F16, F21, 企业会计准则应用指南 (1231), 小企业会计准则 Art 68
"""

from datetime import date
from uuid import UUID

from finance import allocations, entries, open_items
from finance.allocations import Match
from finance.book import book_of
from finance.open_items import Item, NewItem, ReceivableUnknown
from finance.receivables import rules, store
from finance.receivables.commands.payments import booking_day
from shared import audit
from shared.clock import business_date, new_id
from shared.errors import Conflict
from shared.transaction import Tx


class RecoveryNotPossible(Conflict):
    """Not so much was written off of it, or recovered since; or the credit is not this customer's, or holds less."""

    code = "recovery_not_possible"
    cure = "Set an open credit of the customer against an item of theirs that was written off."


def recover(tx: Tx, item_id: UUID, *, credit_id: UUID, fen: int) -> UUID:
    """Set `fen` of a credit, money that came, against what was written off of a debt; returns the debt that stands again.

    Booked today: the customer's account against the allowance (CAS), or non-operating income (small enterprises).
    Raises ReceivableUnknown, RecoveryNotPossible, PeriodClosed.
    """
    items = open_items.lock(tx.conn, {item_id, credit_id})
    debt, credit = items[item_id], items[credit_id]
    if not (tx.actor.may_see(debt.branch_id) and tx.actor.may_see(credit.branch_id)):
        raise ReceivableUnknown("no such open item")
    left = store.written_off(tx, item_id)
    same = (credit.customer_id, credit.branch_id) == (debt.customer_id, debt.branch_id)
    if not same or credit.amount_fen > 0 or fen > min(left, -credit.open_fen):
        raise RecoveryNotPossible(
            "a recovery sets money of the customer against what was written off",
            written_off_fen=left,
            credit_open_fen=-credit.open_fen,
        )
    booked_on, reference = booking_day(tx, business_date(tx.now))
    stands_id = _book(tx, debt, fen, booked_on, reference)
    allocations.allocate(tx, [Match(credit_id=credit_id, debt_id=stands_id, fen=fen)], booked_on)
    audit.record(tx, "receivable.recover", str(item_id), after=[str(stands_id), str(credit_id), fen])
    return stands_id


def _book(tx: Tx, debt: Item, fen: int, booked_on: date, reference: str | None) -> UUID:
    source_id = new_id()
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=booked_on,
            branch_id=debt.branch_id,
            kind="write_off_recovered",
            source_id=str(source_id),
            postings=rules.recovery(book_of(tx.conn).chart, fen),
            customer_id=str(debt.customer_id),
            reference=reference,
        ),
        items=[NewItem(fen=fen, due_on=booked_on, kind="other", principal_id=debt.item_id)],
    )
    [stands_id] = open_items.of_source(tx.conn, source_id, "other")
    return stands_id
