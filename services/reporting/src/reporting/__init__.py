"""Reporting owns the facts of every event, the evaluation metrics and the monthly ledgers made from them."""
