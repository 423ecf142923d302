"""One active process per duty, a standby behind it: a session-level advisory lock on a connection of its own.

The lock dies with its connection, so a killed leader needs no clean-up. A paused leader that wakes up late may
act twice; every duty guarded here is safe to repeat, so no fencing is needed.
"""

import time
from types import TracebackType
from typing import Any, Self

import psycopg
import structlog

CHECK_EVERY_S = 1.0

log = structlog.get_logger(__name__)


def plain_url(database_url: str) -> str:
    """The libpq form of an SQLAlchemy URL, for connections outside the pool."""
    return database_url.replace("postgresql+psycopg://", "postgresql://", 1)


class Leadership:
    """The right to do `duty`, as long as `held()` says so. Never raises for a database that is away."""

    def __init__(self, database_url: str, duty: str) -> None:
        self._url = plain_url(database_url)
        self._duty = duty
        self._connection: psycopg.Connection[Any] | None = None
        self._checked_at = 0.0

    def held(self) -> bool:
        """Return whether this process leads, trying to become leader when nobody does; asks at most once a second."""
        if time.monotonic() - self._checked_at < CHECK_EVERY_S:
            return self._connection is not None
        self._checked_at = time.monotonic()
        try:
            if self._connection is not None:
                self._connection.execute("select 1")
                return True
            self._acquire()
        except psycopg.OperationalError as error:
            log.warning("leadership_lost", duty=self._duty, error=type(error).__name__)
            self.release()
        return self._connection is not None

    def _acquire(self) -> None:
        connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
        won = connection.execute(
            "select pg_try_advisory_lock(hashtextextended(%s, 0))", (self._duty,)
        ).fetchone()
        if won == (True,):
            self._connection = connection
            log.info("leadership_won", duty=self._duty)
        else:
            connection.close()

    def release(self) -> None:
        """Give the duty up; the next `held()` of any process may take it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
