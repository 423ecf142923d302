"""Payments, disputes, write-offs, recoveries, interest."""
