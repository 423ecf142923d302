"""An entry with all that hangs on it: the budgets it draws on, the open items it makes."""

from collections.abc import Sequence
from datetime import date

from finance import budget_control, ledger, open_items
from finance.kernel.posting import PostingLine
from finance.ledger import NewEntry
from finance.open_items import NewItem
from shared.transaction import Tx


def add_entry(
    tx: Tx,
    *,
    booked_on: date,
    branch_id: str,
    kind: str,
    source_id: str,
    postings: Sequence[PostingLine],
    customer_id: str | None,
    reference: str | None = None,
    items: Sequence[NewItem] | None = None,
    corrects_id: int | None = None,
    charged_to: tuple[str, str] = ("", ""),
) -> None:
    """Post one entry of a reaction or command; the month is held open by the caller. Nothing to post, no entry.

    It draws on the budgets of what it spends, those of a (department, campaign), and raises what budget_control refuses.
    `items` are the open items of its lines on 1122, when they are not simply one per line, due at once.
    """
    if not any(line.debit_fen for line in postings):
        return
    budget_control.draw(tx, kind, source_id, branch_id, charged_to, booked_on, postings, corrects_id)
    new = NewEntry(booked_on, branch_id, kind, source_id, postings, reference)
    ledger.add_entry(tx, new, customer_id, corrects_id)
    open_items.add_for_entry(
        tx,
        booked_on=booked_on,
        branch_id=branch_id,
        kind=kind,
        source_id=source_id,
        postings=postings,
        customer_id=customer_id,
        items=items,
    )
