"""What customers owe: open items, payments, allocation, disputes, write-offs, statements, dunning, interest."""

from finance.receivables import tables

__all__ = ["tables"]
