"""From a priced receipt to what is written: ids, journal lines, and the event, all rows of one sale.

The till's single statement and the bulk upload's COPY write the same `Booked` sale.
"""

from collections.abc import Sequence
from datetime import date
from weakref import WeakKeyDictionary

import orjson
from msgspec import Struct
from sqlalchemy import Connection, Engine, text
from uuid_utils import uuid7

from finance.domain.sale import BeforeTheBooks, PricedSale
from finance.events import SALE_POSTED, sale_posted
from finance.kernel import posting
from finance.kernel.chart import Chart, Standard, chart_of
from finance.kernel.posting import PostingLine
from shared.languages import Text

BOOK = "main"


class Book(Struct, frozen=True):
    """The book's standard and first day; both are settled before the first entry and never change."""

    chart: Chart
    begins_on: date


class Booked(Struct, frozen=True, gc=False):
    """A sale about to be written."""

    priced: PricedSale
    sale_id: str
    line_ids: list[str]
    event_id: str
    booked_on: date
    postings: Sequence[PostingLine]
    posted_fen: int
    terms: str | None = None
    """Instalments agreed for this sale alone, as JSON; null leaves them to the customer's terms."""

    @property
    def event_type(self) -> str:
        return SALE_POSTED

    @property
    def reference(self) -> str | None:
        """Of a late receipt: the month it belongs to, when it is booked to another."""
        day = self.priced.business_date
        same = (day.year, day.month) == (self.booked_on.year, self.booked_on.month)
        return None if same else f"late:{day:%Y-%m}"


_BOOKS: WeakKeyDictionary[Engine, Book] = WeakKeyDictionary()


def book_of(conn: Connection) -> Book:
    """Read once per process and database."""
    known = _BOOKS.get(conn.engine)
    if known is None:
        row = conn.execute(
            text("select standard, begins_on from books where code = :code"), {"code": BOOK}
        ).one()
        known = Book(chart_of(Standard(row.standard)), row.begins_on)
        _BOOKS[conn.engine] = known
    return known


def require_in_books(conn: Connection, day: date) -> None:
    """What was before the first day of the books is in their opening balances. Raises BeforeTheBooks."""
    begins_on = book_of(conn).begins_on
    if day < begins_on:
        raise BeforeTheBooks(
            Text("the books begin on {begins_on}", begins_on=begins_on), begins_on=str(begins_on)
        )


def stream_of(booked_on: date) -> str:
    """The chain and voucher series of an entry: one per book and year."""
    return f"{BOOK}-{booked_on.year}"


def book_sale(
    priced: PricedSale,
    booked_on: date,
    chart: Chart,
    terms: str | None = None,
    points_lines: Sequence[PostingLine] = (),
) -> Booked:
    """Give the sale its ids and its entry. Pure but for the ids.

    `points_lines` are those of the tender `points`, whose value only customers' facts tell.
    """
    receipt = priced.receipt
    sale_id = str(uuid7())
    line_ids = [str(uuid7()) for _ in receipt.lines]
    postings = posting.sale(
        chart,
        [(each.tender.value, each.amount.fen) for each in receipt.tenders if each.redemption_id is None],
        net_fen=priced.net_fen,
        tax_fen=priced.tax_fen,
        cost_fen=priced.cost_fen,
        points=points_lines,
    )
    return Booked(
        priced,
        sale_id,
        line_ids,
        str(uuid7()),
        booked_on,
        postings,
        sum(line.debit_fen for line in postings) if points_lines else priced.total_fen + priced.cost_fen,
        terms,
    )


def event_of(sale: Booked) -> bytes:
    """The JSON of finance.sale.posted."""
    return orjson.dumps(sale_posted(sale.priced, sale.sale_id, sale.line_ids))
