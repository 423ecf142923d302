"""Dunning: cases that follow debts past due, and letters."""
