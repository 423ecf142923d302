"""Sales and customers' kinds, as finance and customers tell them."""

from returns.known import store
from returns.known.model import CUSTOMER_REGISTERED, SALE_POSTED
from shared.consumer import in_sets
from shared.refilling import Projection, refilled

REFUND_PAID = "finance.refund.paid.v1"

handle = in_sets(
    {
        "customers.customer.registered.v1": store.on_customers_registered,
        "finance.sale.posted.v1": store.on_sales_posted,
        REFUND_PAID: store.on_refunds_paid,
    }
)
"""All of a batch at once: each type in as many statements as one event of it takes."""

WITHDRAW = refilled(
    {
        "finance": Projection(
            tables=["sold_lines", "voided_sales"],
            reactions={SALE_POSTED: store.on_sales_posted, REFUND_PAID: store.on_refunds_paid},
        ),
        "customers": Projection(
            tables=["customer_kinds"], reactions={CUSTOMER_REGISTERED: store.on_customers_registered}
        ),
    }
)
"""Sales and customers' kinds are copies, made anew when their log lost events; notices stay as they are."""
