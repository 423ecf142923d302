"""What was sold, for areas that set something beside it: SQL of sales and their lines, and sales held for a change."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, text

from finance import receipts

SALES = (
    "(select sale_id, booked_on, business_date, receipt_number, branch_id, customer_id, channel, posted_by, posted_at,"
    " sold_at, net_fen, total_fen from sales)"
)
"""Each sale; whoever reads names days of `booked_on`, so that other months are not looked at."""
_LINE = (
    "l.sale_id, l.booked_on, l.no, l.line_id, l.branch_id, l.product_id, l.generic_name, l.specification, l.lot, l.lot_key, l.quantity, l.net_fen,"
    " l.tax_bp, l.tax_fen, l.cost_fen, l.trace_codes"
)
LINES = f"(select {_LINE} from sale_lines l)"
"""The lines of sales, found by days of `booked_on`."""
LINES_BY_SALE = f"(select {_LINE} from {receipts.RECEIPTS} r join sale_lines l on l.sale_id = r.sale_id and l.booked_on = r.booked_on)"
"""The lines of sales, found by the id of the sale."""
TENDERS = "(select sale_id, booked_on, branch_id, tender, no, fen, channel_transaction_id from tenders)"
"""What each payment paid of a sale, in fen, several of one tender among them; found by days of `booked_on`."""


class Sold(Struct, frozen=True):
    """A sale that is held."""

    sale_id: UUID
    branch_id: str
    booked_on: date
    business_date: date
    customer_id: UUID | None
    channel: str
    posted_by: str


def lock(conn: Connection, sale_ids: Collection[UUID]) -> list[Sold]:
    """The sales that are ours, their receipts locked in the order of their ids until the transaction ends."""
    rows = conn.execute(
        text(
            "select r.sale_id, r.branch_id, r.booked_on, s.business_date, s.customer_id,"
            f" s.channel, s.posted_by from {receipts.RECEIPTS} r"
            " join sales s on s.sale_id = r.sale_id and s.booked_on = r.booked_on"
            " where r.sale_id = any(:ids) order by r.sale_id for update of r"
        ),
        {"ids": sorted(sale_ids)},
    )
    return [Sold(*row) for row in rows]
