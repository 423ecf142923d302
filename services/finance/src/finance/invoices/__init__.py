"""Invoices (发票) of sales, and the red ones that take them back."""
