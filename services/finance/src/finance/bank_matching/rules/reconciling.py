"""Both sides of a month, each adjusted by what only the other knows. Pure; amounts are fen.

Source: F3, F16
"""

from collections.abc import Sequence
from typing import TypedDict


class BankOnly(TypedDict):
    """A line, or what is left of it, that the books do not have."""

    line_id: str
    booked_on: str
    reference: str
    fen: int


class BookOnly(TypedDict):
    """An entry on 1002 that the bank has not shown."""

    source_id: str
    entry_kind: str
    branch_id: str
    booked_on: str
    reference: str | None
    fen: int


class Adjusted(TypedDict):
    """Both sides of a reconciliation, as it is kept."""

    book_fen: int
    received_by_bank_only: list[BankOnly]
    paid_by_bank_only: list[BankOnly]
    adjusted_book_fen: int
    statement_fen: int
    received_by_book_only: list[BookOnly]
    paid_by_book_only: list[BookOnly]
    adjusted_statement_fen: int
    difference_fen: int


def reconcile(
    *,
    book_fen: int,
    statement_fen: int,
    bank_only: Sequence[BankOnly],
    book_only: Sequence[BookOnly],
) -> Adjusted:
    """The 银行存款余额调节表: each side adjusted by what only the other knows; `difference_fen` must be 0."""
    adjusted_book = book_fen + sum(each["fen"] for each in bank_only)
    adjusted_statement = statement_fen + sum(each["fen"] for each in book_only)
    return {
        "book_fen": book_fen,
        "received_by_bank_only": [each for each in bank_only if each["fen"] > 0],
        "paid_by_bank_only": [each for each in bank_only if each["fen"] < 0],
        "adjusted_book_fen": adjusted_book,
        "statement_fen": statement_fen,
        "received_by_book_only": [each for each in book_only if each["fen"] > 0],
        "paid_by_book_only": [each for each in book_only if each["fen"] < 0],
        "adjusted_statement_fen": adjusted_statement,
        "difference_fen": adjusted_book - adjusted_statement,
    }
