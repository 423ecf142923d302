"""The backbone's tests work on a till and a book of their own."""

from tests.support.ledger_fixtures import open_world

__all__ = ["open_world"]
