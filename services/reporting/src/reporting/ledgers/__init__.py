"""The monthly ledgers of sales, returns and feedback."""

from reporting.ledgers import tables
from reporting.ledgers.api import blueprint, ledger_file
from reporting.ledgers.commands import freeze
from reporting.ledgers.papers import COLUMNS, HEADINGS, TITLES
from reporting.ledgers.queries.ledgers import KINDS
from reporting.ledgers.queries.views import ledger_view
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[blueprint])

__all__ = ["AREA", "COLUMNS", "HEADINGS", "KINDS", "TITLES", "freeze", "ledger_file", "ledger_view"]
