"""Statements on open items."""
