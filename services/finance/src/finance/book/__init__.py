"""The book whose standard and first day are settled before its first entry."""

from finance.book import tables
from finance.book.store import BOOK, book_of, require_in_books, stream_of
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = ["AREA", "BOOK", "book_of", "require_in_books", "stream_of"]
