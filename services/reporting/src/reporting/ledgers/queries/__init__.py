"""Ledgers as the facts stand, and as they were frozen."""
