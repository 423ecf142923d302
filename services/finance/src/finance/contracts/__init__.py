"""Contracts: what must be in them, who changes them, how far they are fulfilled."""
