"""Statements on what was sold."""
