"""What the market tells us: a record of each matter, and the monthly ledger of a branch."""

from service_desk.feedback import tables
from service_desk.feedback.api import feedback
from service_desk.feedback.commands import record
from service_desk.feedback.store import lock
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[feedback])

__all__ = ["AREA", "lock", "record"]
