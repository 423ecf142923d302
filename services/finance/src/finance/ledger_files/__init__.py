"""The ledger as files: general ledger, vouchers of a month, Beancount, the journal's chain. It owns nothing."""

from finance.ledger_files.api import ledger_files
from shared.areas import Area

AREA = Area(blueprints=[ledger_files])

__all__ = ["AREA"]
