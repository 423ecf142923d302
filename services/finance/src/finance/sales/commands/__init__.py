"""Posting sales: one, or thousands."""
