"""The bookkeepers' own work: manual vouchers, reversals, and the year's end."""

from finance.vouchers import tables
from finance.vouchers.api import READERS, bookkeeping
from finance.vouchers.queries import DRAFTED, require_decided
from finance.vouchers.schemas import ACCOUNT, ReasonBody
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[bookkeeping])

__all__ = ["ACCOUNT", "AREA", "DRAFTED", "READERS", "ReasonBody", "require_decided"]
