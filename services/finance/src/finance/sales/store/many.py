"""The rows of thousands of sales, by COPY: one table after the other, all in the caller's transaction.

PostgreSQL takes rows while the next ones are made: those of a table go off in pieces, and what else its caller has to
do is done while PostgreSQL finishes the last and longest table. No thread takes part, so nothing waits for the
interpreter's lock.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from psycopg.copy import LibpqWriter

from finance import ledger, open_items, sold
from finance.kernel.copying import NULL, Copied, Rows, Said, text
from finance.kernel.sale import Booked
from finance.sales.events import SALE_POSTED, event_of
from shared import outbox
from shared.database import driver_of
from shared.transaction import Tx

PIECE_SALES = 100


def copy_sales(
    tx: Tx, booked: Sequence[Booked], entry_ids: Sequence[int], meanwhile: Callable[[], None]
) -> None:
    """Write all rows of the sales whose numbers are claimed. `meanwhile` is called once, and may not use the database."""
    said = Said(
        text(tx.actor.id),
        tx.now.isoformat(),
        f"{tx.traceparent or NULL}\t{text(tx.correlation_id or tx.request_id)}\t{NULL}",
    )
    sales = [_sale(*each) for each in zip(booked, entry_ids, strict=True)]
    pieces = [sales[first : first + PIECE_SALES] for first in range(0, len(sales), PIECE_SALES)]
    with driver_of(tx.conn) as driver:
        cursor = driver.cursor()
        for table, (columns, rows_of) in _TABLES.items():
            # each piece is with the kernel before the next is made, else PostgreSQL would wait for it meanwhile
            writer = LibpqWriter(cursor, flush_threshold=0)
            with cursor.copy(f"copy {table} ({columns}) from stdin", writer=writer) as copy:
                for piece in pieces:
                    copy.write("".join([row for sale in piece for row in rows_of(sale, said)]).encode())
                if table == _LAST:
                    meanwhile()
        open_items.SALE_PART.add_many(driver, booked)
    tx.has_events = True


def _sale(booked: Booked, entry_id: int) -> Copied:
    receipt = booked.priced.receipt
    customer = NULL if receipt.customer_id is None else str(receipt.customer_id)
    return Copied(booked, entry_id, booked.booked_on.isoformat(), receipt.branch_id, customer)


def _events(sale: Copied, said: Said) -> Iterator[str]:
    booked = sale.booked
    data = event_of(booked).decode().replace("\\", "\\\\")
    yield (
        f"{booked.event_id}\t{SALE_POSTED}\t{booked.sale_id}\tsale\t1\t{sale.on}\t{booked.priced.total_fen}\t"
        f"{said.now}\t{said.trace}\t{data}\n"
    )


_TABLES: Mapping[str, tuple[str, Rows]] = {
    "sales": sold.SALE_PART.copied["sales"],
    "tenders": sold.SALE_PART.copied["tenders"],
    **ledger.SALE_PART.copied,
    "outbox": (", ".join(outbox.COLUMNS), _events),
    "sale_lines": sold.SALE_PART.copied["sale_lines"],
}
_LAST = list(_TABLES)[-1]
