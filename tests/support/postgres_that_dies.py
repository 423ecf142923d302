"""A PostgreSQL of one test's own that may be killed, paused and started again with what it had committed."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from apotheca.postgres import FORGETFUL, Postgres

# The machine stays up, so what reached its memory is kept; what only the server's own memory held is not.
COMMITS_COUNT = {**FORGETFUL, "synchronous_commit": "on"}


class MortalPostgres(Postgres):
    """`create_database` is as everywhere; `kill`, `start`, `pause` and `resume` do what they say."""

    def create_database(self, name: str) -> str:
        """Make it and return its SQLAlchemy URL, the superuser's."""
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as conn:
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return self.url(name)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        """To the server and to every backend: each leads a group of its own."""
        if self._process is None:
            return
        server = self._process.pid
        for pid in [server, *(each for each, parent in _parents() if parent == server)]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield int(folder.name), int((folder / "stat").read_text().rpartition(")")[2].split()[1])


@contextmanager
def mortal_postgres(folder: Path) -> Iterator[MortalPostgres]:
    server = MortalPostgres(folder, COMMITS_COUNT)
    server.start()
    try:
        yield server
    finally:
        server.resume()
        server.kill()
