"""The fact that a refund could not be paid; finance.refund.paid is built in finance.events."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, TypedDict

from finance.kernel.receipt import Tender
from shared.events import Event
from shared.texts import Branch, Day, Fen, Id, Name, one_of

REFUND_FAILED = "finance.refund.failed.v1"


class RefundFailed(TypedDict):
    """`fen` stays owed to the tender; `means` is how it was tried to be paid."""

    refund_id: Id
    return_id: Id
    sale_id: Id
    branch_id: Branch
    customer_id: Id | None
    tender: Annotated[str, one_of(Tender)]
    means: Name
    fen: Fen
    reason: Name
    failed_on: Day


PUBLISHED: Final[Mapping[str, type]] = {
    REFUND_FAILED: RefundFailed,
}


def refund_failed(
    *,
    refund_id: str,
    return_id: str,
    sale_id: str,
    branch_id: str,
    customer_id: str | None,
    tender: str,
    means: str,
    fen: int,
    reason: str,
    failed_on: date,
    version: int,
) -> Event[RefundFailed]:
    """`amount_fen` is what stays owed to the tender."""
    return Event(
        type=REFUND_FAILED,
        subject=refund_id,
        version=version,
        day=failed_on,
        amount_fen=fen,
        data={
            "refund_id": refund_id,
            "return_id": return_id,
            "sale_id": sale_id,
            "branch_id": branch_id,
            "customer_id": customer_id,
            "tender": tender,
            "means": means,
            "fen": fen,
            "reason": reason,
            "failed_on": failed_on.isoformat(),
        },
    )
