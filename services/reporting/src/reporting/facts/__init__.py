"""Facts: one for every event of the other services, each written once."""

from reporting.facts import tables
from reporting.facts.api import blueprint
from reporting.facts.commands.rebuild import rebuild
from reporting.facts.queries.completeness import completeness
from reporting.facts.queries.spans import branches_of, money_is_closed, months_of
from reporting.facts.queries.totals import own_totals
from reporting.facts.reactions import handle
from reporting.facts.store.held import hold, take_out
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[blueprint], reactions=[handle])

__all__ = [
    "AREA",
    "branches_of",
    "completeness",
    "hold",
    "money_is_closed",
    "months_of",
    "own_totals",
    "rebuild",
    "take_out",
]
