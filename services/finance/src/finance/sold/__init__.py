"""What was sold: sales with their lines and tenders, as they are kept and read."""

from finance.sold import tables
from finance.sold.api import sold_goods, stopped_lot_sales
from finance.sold.queries import posted_sale, sale
from finance.sold.schemas import SaleView
from finance.sold.store.held import LINES, LINES_BY_SALE, SALES, TENDERS, Sold, lock
from finance.sold.store.proofs import FOLLOWED, PROOFS
from finance.sold.store.record import SALE_PART
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[sold_goods, stopped_lot_sales], followed=FOLLOWED, proofs=PROOFS)

__all__ = [
    "AREA",
    "LINES",
    "LINES_BY_SALE",
    "SALES",
    "SALE_PART",
    "TENDERS",
    "SaleView",
    "Sold",
    "lock",
    "posted_sale",
    "sale",
]
