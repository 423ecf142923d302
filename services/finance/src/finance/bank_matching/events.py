"""The facts of bank accounts that finance publishes; ids and numbers only."""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypedDict

from shared.events import Event
from shared.texts import Count, Id, Month, SumFen, Version

RECONCILIATION_COMPLETED = "finance.bank_reconciliation.completed.v1"


class ReconciliationCompleted(TypedDict):
    """`lines` and `matched_in_time` are denominator and numerator of M24 for the month."""

    account_id: Id
    month: Month
    version: Version
    book_fen: SumFen
    statement_fen: SumFen
    lines: Count
    matched_in_time: Count


PUBLISHED: Final[Mapping[str, type]] = {
    RECONCILIATION_COMPLETED: ReconciliationCompleted,
}


def reconciliation_completed(
    *,
    account_id: str,
    month: str,
    version: int,
    book_fen: int,
    statement_fen: int,
    lines: int,
    matched_in_time: int,
    day: date,
) -> Event[ReconciliationCompleted]:
    """`lines` and `matched_in_time` are denominator and numerator of M24 for the month of `day`."""
    return Event(
        type=RECONCILIATION_COMPLETED,
        subject=f"{account_id}:{month}",
        version=version,
        day=day,
        data={
            "account_id": account_id,
            "month": month,
            "version": version,
            "book_fen": book_fen,
            "statement_fen": statement_fen,
            "lines": lines,
            "matched_in_time": matched_in_time,
        },
    )
