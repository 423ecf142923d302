"""Tell the relay that something was committed, without touching the business transaction.

A transaction with a pending NOTIFY takes a lock global to the server at its commit, so the bell rings after the
commit, on a connection of its own, and the rings of PAUSE_S become one: tills that post hundreds of sales a second
need not pay for as many notifications. Losing a ring costs at most one poll of the relay.
"""

import os
import threading
import time
from typing import Any

import psycopg

from shared import postgres

CHANNEL = "apotheca_outbox"
RECONNECT_S = 1.0
PAUSE_S = 0.005
"""The first ring is heard at once, others wait as long after it: less than the relay takes for a batch."""


class Wakeup:
    """A bell with one thread behind it, started by the first ring of each process (so after a fork)."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._rung = threading.Event()
        self._lock = threading.Lock()
        self._pid = 0
        self._stopped = False

    def ring(self) -> None:
        """Return at once; the relay hears it within milliseconds if it is there."""
        if self._pid != os.getpid():
            self._start()
        if not self._rung.is_set():  # else the bell has yet to ring for others, and rings for us
            self._rung.set()

    def close(self) -> None:
        self._stopped = True
        self._rung.set()

    def _start(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            threading.Thread(target=self._notify_for_ever, name="wakeup", daemon=True).start()

    def _notify_for_ever(self) -> None:
        connection: psycopg.Connection[Any] | None = None
        while True:
            self._rung.wait()
            self._rung.clear()
            if self._stopped:
                break
            try:
                if connection is None:
                    connection = postgres.connect(self._url)
                connection.execute(f"notify {CHANNEL}")
                time.sleep(PAUSE_S)
            except psycopg.OperationalError:
                # The relay polls anyway: forget the ring, do not hammer a database that is away.
                if connection is not None:
                    connection.close()
                connection = None
                threading.Event().wait(RECONNECT_S)
        if connection is not None:
            connection.close()
