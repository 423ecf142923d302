"""Statements on the journal."""
