"""Other services' facts that concern Returns: sales and customers' kinds become projections, a refund ends a notice."""

from collections.abc import Sequence
from typing import Any

from returns import commands, projections
from returns.subscriptions import CUSTOMER_REGISTERED, REFUND_PAID, SALE_POSTED, RefundPaid
from shared.consumer import one_by_one
from shared.events import Envelope
from shared.transaction import Tx

_REFUND = RefundPaid()


def on_refund_paid(tx: Tx, envelope: Envelope) -> None:
    """Archive the notice with the refund's id."""
    refund: Any = _REFUND.load(envelope.data)
    commands.archive_refunded(
        tx, refund["return_id"], refund_id=refund["refund_id"], total_fen=refund["total_fen"]
    )


def on_sale_posted(tx: Tx, envelope: Envelope) -> None:
    """Sales are inserted a batch at a time; this entry serves the table of what is listened to."""
    projections.on_sales_posted(tx, [envelope])


def on_customer_registered(tx: Tx, envelope: Envelope) -> None:
    """Keep the customer's kind: it decides whether a return is retail or b2b."""
    projections.on_customer_registered(tx, envelope)


REACTIONS = {
    CUSTOMER_REGISTERED: on_customer_registered,
    SALE_POSTED: on_sale_posted,
    REFUND_PAID: on_refund_paid,
}
_each = one_by_one(REACTIONS)


def handle(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Sales of the batch in one statement, all else one by one."""
    projections.on_sales_posted(tx, [envelope for envelope in envelopes if envelope.type == SALE_POSTED])
    _each(tx, [envelope for envelope in envelopes if envelope.type != SALE_POSTED])
