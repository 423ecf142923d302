"""Statements that only read: control totals, ledgers, metrics, completeness."""
