"""The fact samples publish; ids and figures only."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from shared.events import Event

SAMPLE_ISSUED = "finance.sample.issued.v1"
PUBLISHED = (SAMPLE_ISSUED,)


def sample_issued(sample: Mapping[str, Any], *, cost_fen: int, day: date) -> Event:
    """Samples left a branch; `cost_fen` is what they cost it, the day its booking day."""
    customer = sample["customer_id"]
    return Event(
        type=SAMPLE_ISSUED,
        subject=str(sample["sample_id"]),
        version=1,
        day=day,
        amount_fen=cost_fen,
        data={
            "sample_id": str(sample["sample_id"]),
            "branch_id": sample["branch_id"],
            "customer_id": None if customer is None else str(customer),
            "kind": sample["kind"],
            "recipient": sample["recipient"],
            "product_id": sample["product_id"],
            "lot": sample["lot"],
            "quantity": sample["quantity"],
            "cost_fen": cost_fen,
        },
    )
