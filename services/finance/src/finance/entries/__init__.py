"""An entry with all that hangs on it: the budgets it draws on, the open items it makes."""

from finance.entries.commands import add_entry
from finance.ledger import NewEntry
from shared.areas import Area

AREA = Area()

__all__ = ["AREA", "NewEntry", "add_entry"]
