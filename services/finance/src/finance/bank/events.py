"""The facts of bank accounts that finance publishes; ids and numbers only."""

from datetime import date

from shared.events import Event

RECONCILIATION_COMPLETED = "finance.bank_reconciliation.completed.v1"
PUBLISHED = (RECONCILIATION_COMPLETED,)


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
) -> Event:
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
