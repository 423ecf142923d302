"""Other services' facts that concern Returns: sales and customers' kinds become projections, a refund ends a notice."""

from collections.abc import Sequence

import msgspec

from returns import commands, projections
from returns.subscriptions import CUSTOMER_REGISTERED, REFUND_PAID, SALE_POSTED, RefundPaid
from shared.consumer import in_sets
from shared.events import Envelope
from shared.refilling import Projection, refilled
from shared.transaction import Tx


def on_refunds_paid(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Archive the notices with their refunds' ids."""
    commands.archive_refunded(tx, [msgspec.convert(each.data, RefundPaid) for each in envelopes])


handle = in_sets(
    {
        CUSTOMER_REGISTERED: projections.on_customers_registered,
        SALE_POSTED: projections.on_sales_posted,
        REFUND_PAID: on_refunds_paid,
    }
)
"""All of a batch at once: each type in as many statements as one event of it takes."""

WITHDRAW = refilled(
    {
        "finance": Projection(tables=["sold_lines"], reactions={SALE_POSTED: projections.on_sales_posted}),
        "customers": Projection(
            tables=["customer_kinds"], reactions={CUSTOMER_REGISTERED: projections.on_customers_registered}
        ),
    }
)
"""Sales and customers' kinds are copies, made anew when their log lost events; notices stay as they are."""
