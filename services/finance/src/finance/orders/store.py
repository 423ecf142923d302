"""What other areas read of orders, as SQL."""

ORDERED = "(select h.sale_id, o.order_id, o.drafted_by from shipments h join sales_orders o on o.order_id = h.order_id)"
"""The order that a sale shipped, and who drafted it."""
