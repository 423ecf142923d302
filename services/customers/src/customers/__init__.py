"""Customers: who the customers are, what they may buy, and the points they have earned."""
