"""One active process per duty, a standby behind it: a session-level advisory lock on a connection of its own.

The lock dies with its connection, so a killed leader needs no clean-up; one that vanished without a word, or stands
still, is cut off by the server after SILENT_S. A paused leader that wakes up late may act twice; every duty guarded
here is safe to repeat, so no fencing is needed.
"""

import time
from types import TracebackType
from typing import Any, Self

import psycopg
import structlog

from shared import postgres

CHECK_EVERY_S = 3.0
TRY_EVERY_S = 1.0
SILENT_S = 20

log = structlog.get_logger(__name__)


class Leadership:
    """The right to do `duty`, as long as `held()` says so. Never raises for a database that is away."""

    def __init__(self, database_url: str, duty: str) -> None:
        self._url = database_url
        self._duty = duty
        self._connection: psycopg.Connection[Any] | None = None
        self._leads = False
        self._ask_at = 0.0

    def held(self) -> bool:
        """Return whether this process leads, trying to become leader when nobody does.

        Asks the database at most every CHECK_EVERY_S as leader, every TRY_EVERY_S as standby.
        """
        if time.monotonic() < self._ask_at:
            return self._leads
        try:
            if self._leads and self._connection is not None:
                self._connection.execute("select 1")
            else:
                self._leads = self._try()
        except psycopg.OperationalError as error:
            log.warning("leadership_lost", duty=self._duty, error=type(error).__name__)
            self.release()
        self._ask_at = time.monotonic() + (CHECK_EVERY_S if self._leads else TRY_EVERY_S)
        return self._leads

    def _try(self) -> bool:
        if self._connection is None:
            self._connection = postgres.connect(self._url, options=f"-c idle_session_timeout={SILENT_S}s")
        won = self._connection.execute(
            "select pg_try_advisory_lock(hashtextextended(%s, 0))", (self._duty,)
        ).fetchone()
        if won != (True,):
            return False
        log.info("leadership_won", duty=self._duty)
        return True

    def release(self) -> None:
        """Give the duty up; the next `held()` of any process may take it."""
        self._leads = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
