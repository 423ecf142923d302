"""Other services' facts that concern Returns: sales and customers' kinds become projections, a refund ends a notice."""

from collections.abc import Sequence

import msgspec

from returns import commands, projections
from returns.subscriptions import CUSTOMER_REGISTERED, REFUND_PAID, SALE_POSTED, RefundPaid
from shared.consumer import in_sets, one_by_one
from shared.events import Envelope
from shared.refilling import Projection, refilled
from shared.transaction import Tx


def on_refund_paid(tx: Tx, envelope: Envelope) -> None:
    """Archive the notice with the refund's id."""
    refund = msgspec.convert(envelope.data, RefundPaid)
    commands.archive_refunded(tx, refund.return_id, refund_id=refund.refund_id, total_fen=refund.total_fen)


SETS = {
    CUSTOMER_REGISTERED: projections.on_customers_registered,
    SALE_POSTED: projections.on_sales_posted,
}
REACTIONS = {REFUND_PAID: on_refund_paid}
_in_sets = in_sets(SETS)
_each = one_by_one(REACTIONS)


WITHDRAW = refilled(
    {
        "finance": Projection(tables=["sold_lines"], reactions={SALE_POSTED: projections.on_sales_posted}),
        "customers": Projection(
            tables=["customer_kinds"], reactions={CUSTOMER_REGISTERED: projections.on_customers_registered}
        ),
    }
)
"""Sales and customers' kinds are copies, made anew when their log lost events; notices stay as they are."""


def handle(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Sales and customers of a batch in one statement each; refunds move a notice, with its history, one by one."""
    _in_sets(tx, envelopes)
    _each(tx, envelopes)
