"""Debts and payments in JSON."""
