"""How every connection to PostgreSQL is opened, inside the pool and outside it: none may hang for ever.

A peer that vanished without a word (a pulled cable, a firewall that forgot the connection) is noticed three ways:

- the kernel probes a quiet connection (keepalives) and gives up on unanswered data after TCP_USER_TIMEOUT_MS, on
  our end and, by options of the session, on the server's;
- whoever has waited SILENCE_S for an answer asks the server over a new connection whether it is still at work on
  the statement. If it is not, or does not answer, the connection is closed and OperationalError raised: at the
  latest SILENCE_S + CONNECT_S + PROBE_S after the silence began. A slow statement is left alone;
- the server ends a statement of the pool after STATEMENT_TIMEOUT_S (shared.database).
"""

import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import generators
from sqlalchemy import Engine, create_engine, event

CONNECT_S = 5
SILENCE_S = 10.0
PROBE_S = 5.0
KEEPALIVE_IDLE_S = 10
KEEPALIVE_EVERY_S = 5
KEEPALIVE_COUNT = 3
TCP_USER_TIMEOUT_MS = 15_000

ARGUMENTS: dict[str, Any] = {
    "connect_timeout": CONNECT_S,
    "keepalives": 1,
    "keepalives_idle": KEEPALIVE_IDLE_S,
    "keepalives_interval": KEEPALIVE_EVERY_S,
    "keepalives_count": KEEPALIVE_COUNT,
    "tcp_user_timeout": TCP_USER_TIMEOUT_MS,
}
"""libpq's own, for our end; they mean nothing to a Unix socket."""

WRITER = "apotheca.writer"
"""The setting by which a session of a service says what it is: what others write is named in verification."""
SESSION = (
    f"-c {WRITER}=service"
    f" -c tcp_keepalives_idle={KEEPALIVE_IDLE_S} -c tcp_keepalives_interval={KEEPALIVE_EVERY_S}"
    f" -c tcp_keepalives_count={KEEPALIVE_COUNT} -c tcp_user_timeout={TCP_USER_TIMEOUT_MS}"
)
"""Who writes; and the same for the server's end: it lets go of the locks of a client that vanished."""


class WatchedConnection(psycopg.Connection[Any]):
    """A connection whose waits end when the server is no longer at work for it.

    `prepared` are the names of the statements that shared.round_trip prepared on it, by their SQL.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prepared: dict[bytes, bytes] = {}
        self._named = 0

    def next_name(self) -> bytes:
        """A name that no statement of this connection has or had."""
        self._named += 1
        return b"trip_%d" % self._named

    def _deallocate(self, name: bytes | None) -> Any:
        """As psycopg's, which without a name makes the server forget all that is prepared, ours too."""
        if name is None:
            self.prepared.clear()
        return super()._deallocate(name)

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's; a caller that brings its own `timeout` watches for itself."""
        return super().wait(gen if timeout is not None else self._watch(gen), interval, timeout)

    def _watch(self, gen: Any) -> Generator[Any, int, Any]:
        heard_at = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    heard_at = time.monotonic()
                elif time.monotonic() - heard_at > SILENCE_S:
                    self._probe()
                    heard_at = time.monotonic()
                    continue
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _probe(self) -> None:
        if not is_at_work(self):
            self.pgconn.finish()
            raise psycopg.OperationalError("the database stopped answering on this connection")


def is_at_work(connection: psycopg.Connection[Any]) -> bool:
    """Ask the server over a new connection whether it works on a statement of `connection`."""
    info = connection.info
    arguments = {**info.get_parameters(), **ARGUMENTS, "password": info.password or None}
    with suppress(psycopg.Error), psycopg.connect(**arguments, autocommit=True) as probe:
        # psycopg's own `wait` takes the bound; a server that takes the connection may still never answer.
        probe.pgconn.send_query_params(
            b"select state from pg_stat_activity where pid = $1", [str(info.backend_pid).encode()]
        )
        results = probe.wait(generators.execute(probe.pgconn), timeout=PROBE_S)
        return bool(results[0].ntuples == 1 and results[0].get_value(0, 0) == b"active")
    return False


def connect(url: str, *, options: str = "") -> WatchedConnection:
    """Open a connection outside the pool to an SQLAlchemy or libpq URL; every statement commits by itself.

    `options` are settings of the session as the server's command line takes them.
    """
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    return WatchedConnection.connect(
        plain, autocommit=True, options=f"{SESSION} {options}".strip(), **ARGUMENTS
    )


def new_engine(url: str, *, options: str = "", **arguments: Any) -> Engine:
    """SQLAlchemy's engine over such connections; `arguments` are create_engine's."""
    engine = create_engine(
        url, connect_args={**ARGUMENTS, "options": f"{SESSION} {options}".strip()}, **arguments
    )
    event.listen(engine, "do_connect", _watched)
    return engine


def _watched(_dialect: Any, _record: Any, given: list[Any], named: dict[str, Any]) -> WatchedConnection:
    return WatchedConnection.connect(*given, **named)
