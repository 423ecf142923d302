"""A service's database whose every change is undone: what routes and reactions do is tried again and again from one state.

One transaction is held open; what the service calls a transaction is a savepoint in it. All that PostgreSQL checks at
a statement it checks as ever, and what it would check at COMMIT is asked for when the savepoint is released.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from shared import round_trip
from shared.database import Database


class Undone(Database):
    """Behaves as `Database` until `undone()` is entered, which may be entered again inside."""

    def __init__(self, database: Database) -> None:
        self.url, self.engine = database.url, database.engine
        self._held: Connection | None = None

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Nothing that happens in the block has happened after it."""
        if self._held is not None:
            within = self._held.begin_nested()
            try:
                yield
            finally:
                within.rollback()
            return
        with self.engine.connect() as conn:
            whole = conn.begin()
            self._held = conn
            try:
                yield
            finally:
                self._held = None
                whole.rollback()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        if self._held is None:
            with super().begin() as conn:
                yield conn
            return
        with self._held.begin_nested():
            yield self._held
            self._held.execute(text("set constraints all immediate"))
            self._held.execute(text("set constraints all deferred"))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        if self._held is None:
            with super().read() as conn:
                yield conn
            return
        within = self._held.begin_nested()
        try:
            yield self._held
        finally:
            within.rollback()

    def dispose(self) -> None:
        if self._held is None:
            super().dispose()


def without_commit(conn: Connection, asked: Any, *, commit: bool = False) -> Any:
    """In the place of `round_trip.run`: the COMMIT that goes along with the last statement is that of the savepoint."""
    return _run(conn, asked, commit=commit and not conn.in_nested_transaction())


_run = round_trip.run
