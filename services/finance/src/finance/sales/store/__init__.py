"""Statements that write sales: one, or thousands."""
