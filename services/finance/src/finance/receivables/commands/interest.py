"""Interest for late payment: an open item of its own, so that paying the principal never loses it (I29).

What is charged is the interest up to a day, less what was charged before: charging twice charges nothing. Due
at the end of each month, and when the principal is settled.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from finance import allocations, entries, open_items
from finance.book import book_of
from finance.kernel import dated
from finance.open_items import NewItem
from finance.receivables import rules
from finance.receivables.commands.payments import booking_day
from finance.trade_permissions import KINDS
from shared import audit
from shared.clock import business_date, new_id
from shared.transaction import Tx

BATCH = 200


def charge_interest(tx: Tx) -> int:
    """Charge what overdue debts of institutions bear up to the last month's end, or to their settlement."""
    today = business_date(tx.now)
    rows = tx.conn.execute(
        text(
            f"select i.item_id from {open_items.ITEMS} i join {KINDS} p on p.customer_id = i.customer_id"
            " where i.kind = 'sale' and p.kind = any(:kinds) and i.disputed_at is null"
            " and i.written_off_fen = 0 and i.due_on < coalesce(i.settled_on, :month_end)"
            " and coalesce(i.interest_through, i.due_on) < coalesce(i.settled_on, :month_end)"
            " order by i.due_on limit :batch"
        ),
        {
            "kinds": dated.value("late_interest", "charged_kinds", today),
            "month_end": rules.last_month_end(today),
            "batch": BATCH,
        },
    ).scalars()
    wanted = list(rows)
    for item_id in wanted:
        _charge(tx, item_id, today)
    return len(wanted)


def _charge(tx: Tx, item_id: UUID, today: date) -> None:
    open_items.lock(tx.conn, [item_id])
    row = tx.conn.execute(
        text(f"select * from {open_items.ITEMS} i where item_id = :id"), {"id": item_id}
    ).one()
    through = row.settled_on or rules.last_month_end(today)
    fen = owed(tx, row, through) - row.interest_fen
    if fen < dated.value("late_interest", "charge_least_fen", today):
        fen = 0
    open_items.change(
        tx.conn, item_id, is_told=False, interest_through=through, interest_fen=row.interest_fen + fen
    )
    if fen > 0:
        _book(tx, row, fen, today)


def owed(tx: Tx, item: Row[Any], through: date) -> int:
    """All interest the item bore up to a day, in fen, charged or not."""
    reductions = tx.conn.execute(
        text(f"select allocated_on, fen from {allocations.ALLOCATIONS} i where debt_id = :id"),
        {"id": item.item_id},
    )
    return rules.late_interest_fen(
        amount_fen=item.amount_fen,
        due_on=item.due_on,
        through=through,
        reductions=[(row.allocated_on, row.fen) for row in reductions],
    )


def _book(tx: Tx, principal: Row[Any], fen: int, today: date) -> None:
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
