"""Which months are closed, and what came or went afterwards."""

from reporting.months import tables
from reporting.months.queries import close_of, list_months, revisions_of
from reporting.months.reactions import note_late_facts, withdraw
from reporting.months.store import add_close
from shared.areas import Area

AREA = Area(tables=tables, reactions=[note_late_facts], withdraw=withdraw)

__all__ = ["AREA", "add_close", "close_of", "list_months", "revisions_of"]
