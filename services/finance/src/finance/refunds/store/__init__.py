"""Statements on refunds."""
