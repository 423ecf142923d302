"""Points as a contract liability: what they are worth in the books, and what they pay."""

from finance.points import tables
from finance.points.commands import lines_of
from finance.points.model import RestoredPoints
from finance.points.queries import require_tied
from finance.points.reactions import handle, withdraw
from finance.points.rules import PointsNotInBulk
from finance.points.store.redemptions import give_back, hold, lock, redeem, redemption_of, told
from shared.areas import Area

AREA = Area(tables=tables, reactions=[handle], withdraw=withdraw)

__all__ = [
    "AREA",
    "PointsNotInBulk",
    "RestoredPoints",
    "give_back",
    "hold",
    "lines_of",
    "lock",
    "redeem",
    "redemption_of",
    "require_tied",
    "told",
]
