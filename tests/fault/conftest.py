"""Fault tests break a till and a book of their own."""

from tests.support.ledger_fixtures import open_world

__all__ = ["open_world"]
