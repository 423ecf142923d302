"""The fact samples publish; ids and figures only."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, TypedDict

from finance.samples.model import Sample
from finance.samples.rules import KINDS, RECIPIENTS
from shared.events import Event
from shared.texts import Branch, Fen, Id, Lot, Quantity, Reference, one_of

SAMPLE_ISSUED = "finance.sample.issued.v1"


class SampleIssued(TypedDict):
    """Samples left a branch; `cost_fen` is what they cost it."""

    sample_id: Id
    branch_id: Branch
    customer_id: Id | None
    kind: Annotated[str, one_of(KINDS)]
    recipient: Annotated[str, one_of(RECIPIENTS)]
    product_id: Reference
    lot: Lot
    quantity: Quantity
    cost_fen: Fen


PUBLISHED: Final[Mapping[str, type]] = {
    SAMPLE_ISSUED: SampleIssued,
}


def sample_issued(sample: Sample, *, cost_fen: int, day: date) -> Event[SampleIssued]:
    """Samples left a branch; `cost_fen` is what they cost it, the day its booking day."""
    customer = sample.customer_id
    return Event(
        type=SAMPLE_ISSUED,
        subject=str(sample.sample_id),
        version=1,
        day=day,
        amount_fen=cost_fen,
        data={
            "sample_id": str(sample.sample_id),
            "branch_id": sample.branch_id,
            "customer_id": None if customer is None else str(customer),
            "kind": sample.kind,
            "recipient": sample.recipient,
            "product_id": sample.product_id,
            "lot": sample.lot,
            "quantity": sample.quantity,
            "cost_fen": cost_fen,
        },
    )
