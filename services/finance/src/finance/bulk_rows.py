"""The rows of thousands of sales, by COPY: one table after the other, all in the caller's transaction.

PostgreSQL takes rows while the next ones are made: those of a table go off in pieces, and what else its caller has to
do is done while PostgreSQL finishes the last and longest table. No thread takes part, so nothing waits for the
interpreter's lock.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from psycopg.copy import LibpqWriter

from finance import open_items
from finance.booking import Booked, event_of, stream_of
from shared import outbox
from shared.database import driver_of
from shared.lots import canonical
from shared.transaction import Tx

PIECE_SALES = 100
_NULL = "\\N"


class _Sale(NamedTuple):
    """What rows of several tables say of a sale, as COPY text."""

    booked: Booked
    entry_id: int
    on: str
    branch: str
    customer: str


class _Said(NamedTuple):
    """What all rows of an upload say, as COPY text; `trace` are the columns of the outbox that tell causes."""

    actor: str
    now: str
    trace: str


def copy_sales(
    tx: Tx, booked: Sequence[Booked], entry_ids: Sequence[int], meanwhile: Callable[[], None]
) -> None:
    """Write all rows of the sales whose numbers are claimed. `meanwhile` is called once, and may not use the database."""
    said = _Said(
        _text(tx.actor.id),
        tx.now.isoformat(),
        f"{tx.traceparent or _NULL}\t{_text(tx.correlation_id or tx.request_id)}\t{_NULL}",
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
        open_items.add_for_sales(driver, booked)
    tx.has_events = True


def _sale(booked: Booked, entry_id: int) -> _Sale:
    receipt = booked.priced.receipt
    customer = _NULL if receipt.customer_id is None else str(receipt.customer_id)
    return _Sale(booked, entry_id, booked.booked_on.isoformat(), receipt.branch_id, customer)


def _text(value: str | None) -> str:
    """A value for COPY: control characters were refused with the receipt, so only backslashes remain."""
    if value is None:
        return _NULL
    return value.replace("\\", "\\\\") if "\\" in value else value


def _sales(sale: _Sale, said: _Said) -> Iterator[str]:
    priced = sale.booked.priced
    receipt = priced.receipt
    yield (
        f"{sale.booked.sale_id}\t{sale.on}\t{priced.business_date}\t{receipt.receipt_number}\t{sale.branch}\t"
        f"{sale.customer}\t{receipt.channel.value}\t{receipt.sold_at}\t{priced.net_fen}\t{priced.tax_fen}\t"
        f"{priced.total_fen}\t{priced.cost_fen}\t{said.actor}\t{said.now}\n"
    )


def _sale_lines(sale: _Sale, _said: _Said) -> Iterator[str]:
    priced, sale_id, on, branch = sale.booked.priced, sale.booked.sale_id, sale.on, sale.branch
    lines = zip(
        priced.receipt.lines, sale.booked.line_ids, priced.line_net_fen, priced.line_tax_fen, strict=True
    )
    for no, (line, line_id, net, tax) in enumerate(lines, 1):
        product = line.product
        yield (
            f"{sale_id}\t{no}\t{on}\t{line_id}\t{branch}\t{product.id}\t{_text(product.generic_name)}\t"
            f"{product.category}\t{product.temp_class.value}\t{_text(product.dosage_form)}\t"
            f"{_text(product.specification)}\t{_text(product.mah)}\t{_text(product.maker)}\t"
            f"{_text(product.approval_number)}\t{_text(line.lot)}\t{_text(canonical(line.lot))}\t{line.expiry}\t"
            f"{line.quantity}\t{line.unit_price.fen}\t{line.discount.fen}\t{net}\t{line.tax_bp}\t{tax}\t"
            f"{line.cost.fen}\n"
        )


def _tenders(sale: _Sale, _said: _Said) -> Iterator[str]:
    for payment in sale.booked.priced.receipt.tenders:
        yield f"{sale.booked.sale_id}\t{payment.tender.value}\t{sale.on}\t{sale.branch}\t{payment.amount.fen}\n"


def _journal_entries(sale: _Sale, said: _Said) -> Iterator[str]:
    booked = sale.booked
    if booked.posted_fen:
        yield (
            f"{sale.entry_id}\t{sale.on}\t{stream_of(booked.booked_on)}\t{sale.branch}\tsale\t{booked.sale_id}\t"
            f"{booked.posted_fen}\t{booked.reference or _NULL}\t{said.actor}\t{said.now}\n"
        )


def _journal_lines(sale: _Sale, _said: _Said) -> Iterator[str]:
    if sale.booked.posted_fen:
        for no, line in enumerate(sale.booked.postings, 1):
            customer = sale.customer if line.is_receivable else _NULL
            yield (
                f"{sale.entry_id}\t{no}\t{sale.on}\t{sale.branch}\t{line.account}\t{customer}\t{line.debit_fen}\t"
                f"{line.credit_fen}\n"
            )


def _events(sale: _Sale, said: _Said) -> Iterator[str]:
    booked = sale.booked
    data = event_of(booked).decode().replace("\\", "\\\\")
    yield (
        f"{booked.event_id}\t{booked.event_type}\t{booked.sale_id}\tsale\t1\t{sale.on}\t{booked.priced.total_fen}\t"
        f"{said.now}\t{said.trace}\t{data}\n"
    )


_TABLES: dict[str, tuple[str, Callable[[_Sale, _Said], Iterator[str]]]] = {
    "sales": (
        (
            "sale_id, booked_on, business_date, receipt_number, branch_id, customer_id, channel, sold_at, net_fen, tax_fen,"
            " total_fen, cost_fen, posted_by, posted_at"
        ),
        _sales,
    ),
    "tenders": ("sale_id, tender, booked_on, branch_id, fen", _tenders),
    "journal_entries": (
        "id, booked_on, stream, branch_id, kind, source_id, total_fen, reference, actor, recorded_at",
        _journal_entries,
    ),
    "journal_lines": (
        "entry_id, no, booked_on, branch_id, account, customer_id, debit_fen, credit_fen",
        _journal_lines,
    ),
    "outbox": (", ".join(outbox.COLUMNS), _events),
    "sale_lines": (
        (
            "sale_id, no, booked_on, line_id, branch_id, product_id, generic_name, category, temp_class, dosage_form,"
            " specification, mah, maker, approval_number, lot, lot_key, expiry, quantity, unit_price_fen, discount_fen,"
            " net_fen, tax_bp, tax_fen, cost_fen"
        ),
        _sale_lines,
    ),
}
_LAST = list(_TABLES)[-1]
