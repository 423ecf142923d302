"""What other areas read of orders, as SQL."""

ORDERS = "(select order_id, number, branch_id, customer_id, contract_id, state, drafted_by, confirmed_at from sales_orders)"
"""Each order."""
LINES = "(select order_id, no, product, quantity, shipped_quantity, deliver_on, completed_on from sales_order_lines)"
"""What is confirmed of each order."""
SHIPMENTS = (
    "(select shipment_id, order_id, no, branch_id, sale_id, receipt_number, sent_on, sent_at, sent_by, confirmed_at,"
    " total_fen from shipments)"
)
"""What was sent of orders; each is a sale."""
SHIPMENT_LINES = (
    "(select shipment_id, no, order_line, lot, expiry, quantity, unit_price_fen, unit_discount_fen, tax_bp, cost_fen,"
    " trace_codes from shipment_lines)"
)
"""The lots of shipments."""
ORDERED = "(select h.sale_id, o.order_id, o.drafted_by from shipments h join sales_orders o on o.order_id = h.order_id)"
"""The order that a sale shipped, and who drafted it."""
