"""Expense claims, budgets, promotion plans, sales targets and what customer relations cost and bring."""
