"""The book: its standard and first day, settled before the first entry, and the chains of its vouchers."""

from datetime import date
from weakref import WeakKeyDictionary

from msgspec import Struct
from sqlalchemy import Connection, Engine, text

from finance.kernel.chart import Chart, Standard, chart_of
from finance.kernel.period import BeforeTheBooks
from shared.languages import Text

BOOK = "main"


class Book(Struct, frozen=True):
    """The book's standard and first day; both are settled before the first entry and never change."""

    chart: Chart
    begins_on: date


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
