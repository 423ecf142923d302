"""Refunds: verified, approved, paid to the tender the sale was paid with."""

from finance.refunds import tables
from finance.refunds.api import drawer_refunds, refunds
from finance.refunds.queries import require_agreement
from finance.refunds.reactions import handle, withdraw
from finance.refunds.store.held import REFUNDED, RETURNED_LINES, STANDING, refunded_fen, sale_of
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[drawer_refunds, refunds], reactions=[handle], withdraw=withdraw)

__all__ = ["AREA", "REFUNDED", "RETURNED_LINES", "STANDING", "refunded_fen", "require_agreement", "sale_of"]
