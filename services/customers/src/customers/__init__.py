"""Customers: who the customers are, what they may buy, the points they have earned, and what they are offered."""
