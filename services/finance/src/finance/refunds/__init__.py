"""Refunds: verified, approved, paid to the tender the sale was paid with."""
