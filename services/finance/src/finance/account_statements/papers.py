"""Statements of account on paper."""

from collections.abc import Mapping
from typing import Any

from finance.dunning import Paper


def statement(row: Mapping[str, Any], documents: Mapping[str, str], language: str) -> bytes:
    """The statement of account, for the customer to seal."""
    items = [
        {
            **{name: str(each[name]) for name in ("item_id", "kind", "booked_on", "due_on")},
            "days": max(0, (row["as_of"] - each["due_on"]).days),
            "amount_fen": each["amount_fen"],
            "open_fen": each["open_fen"],
        }
        for each in row["items"]
    ]
    paper = Paper(
        kind="statement",
        language=language,
        number=str(row["statement_id"]),
        customer_id=str(row["customer_id"]),
        day=row["as_of"],
        items=items,
        total_fen=row["total_fen"],
        asks_for_answer=True,
    )
    return paper.printed(documents)
