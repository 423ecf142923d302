"""The fact that a refund could not be paid; finance.refund.paid is built in finance.events."""

from datetime import date

from shared.events import Event

REFUND_FAILED = "finance.refund.failed.v1"
PUBLISHED = (REFUND_FAILED,)


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
) -> Event:
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
