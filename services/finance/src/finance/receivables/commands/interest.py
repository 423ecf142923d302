"""Interest for late payment: an open item of its own, so that paying the principal never loses it (I29).

What is charged is the interest up to a day, less what was charged before: charging twice charges nothing. Due
at the end of each month, and when the principal is settled.
"""

from datetime import date
from uuid import UUID

from finance import entries, open_items
from finance.book import book_of
from finance.kernel import dated
from finance.open_items import NewItem
from finance.receivables import rules, store
from finance.receivables.commands.payments import booking_day
from finance.receivables.model import Bearing
from shared import audit
from shared.clock import business_date, new_id
from shared.transaction import Tx

BATCH = 200


def charge_interest(tx: Tx) -> int:
    """Charge what overdue debts of institutions bear up to the last month's end, or to their settlement."""
    today = business_date(tx.now)
    kinds = dated.value("late_interest", "charged_kinds", today)
    wanted = store.bearing(tx, kinds, rules.last_month_end(today), BATCH)
    for item_id in wanted:
        _charge(tx, item_id, today)
    return len(wanted)


def _charge(tx: Tx, item_id: UUID, today: date) -> None:
    debt = store.lock_bearing(tx, item_id)
    through = debt.settled_on or rules.last_month_end(today)
    fen = owed(tx, debt, through) - debt.interest_fen
    if fen < dated.value("late_interest", "charge_least_fen", today):
        fen = 0
    open_items.change(
        tx.conn, item_id, is_told=False, interest_through=through, interest_fen=debt.interest_fen + fen
    )
    if fen > 0:
        _book(tx, debt, fen, today)


def owed(tx: Tx, item: Bearing, through: date) -> int:
    """All interest the item bore up to a day, in fen, charged or not."""
    return rules.late_interest_fen(
        amount_fen=item.amount_fen,
        due_on=item.due_on,
        through=through,
        reductions=store.reductions(tx, item.item_id),
    )


def _book(tx: Tx, principal: Bearing, fen: int, today: date) -> None:
    source_id = new_id()
    booked_on, reference = booking_day(tx, today)
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=booked_on,
            branch_id=principal.branch_id,
            kind="late_interest",
            source_id=str(source_id),
            postings=rules.interest(book_of(tx.conn).chart, fen, booked_on),
            customer_id=str(principal.customer_id),
            reference=reference,
        ),
        items=[NewItem(fen=fen, due_on=booked_on, kind="interest", principal_id=principal.item_id)],
    )
    audit.record(tx, "receivable.charge_interest", str(principal.item_id), after=[str(source_id), fen])
