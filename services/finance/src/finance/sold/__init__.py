"""What was sold: sales with their lines and tenders, as they are kept and read."""

from finance.sold import queries, tables
from finance.sold.api import sold_goods, stopped_lot_sales
from finance.sold.schemas import SaleView
from finance.sold.store import record
from finance.sold.store.held import CASH_TAKEN, LINES, LINES_BY_SALE, SALES, Sold, lock, tenders_of
from finance.sold.store.proofs import FOLLOWED, PROOFS
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[sold_goods, stopped_lot_sales], followed=FOLLOWED, proofs=PROOFS)

__all__ = [
    "AREA",
    "CASH_TAKEN",
    "LINES",
    "LINES_BY_SALE",
    "SALES",
    "SaleView",
    "Sold",
    "lock",
    "queries",
    "record",
    "tenders_of",
]
