"""An entry with all that hangs on it: the budgets it draws on, the open items it makes."""

from collections.abc import Sequence

from finance import budget_control, ledger, open_items
from finance.ledger import NewEntry
from finance.open_items import NewItem
from shared.transaction import Tx


def add_entry(
    tx: Tx,
    entry: NewEntry,
    *,
    items: Sequence[NewItem] | None = None,
    charged_to: tuple[str, str] = ("", ""),
) -> None:
    """Post one entry of a reaction or command; the month is held open by the caller. Nothing to post, no entry.

    It draws on the budgets of what it spends, those of a (department, campaign), and raises what budget_control refuses.
    `items` are the open items of its lines on 1122, when they are not simply one per line, due at once.
    """
    if not any(line.debit_fen for line in entry.postings):
        return
    budget_control.draw(tx, entry, charged_to)
    ledger.add_entry(tx, entry)
    open_items.add_for_entry(tx, entry, items)
