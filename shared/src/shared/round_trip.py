"""Statements that a till waits for, in one round trip: one message to the server and one wait for all of them.

psycopg's pipeline waits for BEGIN by itself and sends each statement alone; every message wakes the server, every
wait is a turn of another thread. Here BEGIN goes along with the first statements and COMMIT with the last, and
parameters are text, so that nothing is adapted. Each statement is still planned after the one before it has run.

Promises: the results come in the order of the statements; the first error is raised, what follows it was not
executed, and COMMIT is none of what was. A statement is prepared once per connection, and again after psycopg told
the server to forget all that is prepared, which it does when it rolls back.
"""

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

from psycopg import errors, generators, pq
from psycopg.pq.abc import PGresult
from sqlalchemy import Connection

from shared.database import driver_of
from shared.postgres import WatchedConnection

PLACE = re.compile(r"%\((\w+)\)s")
_FAILED = {pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED}
Asked = tuple["Statement", Mapping[str, str | None]]


class Statement:
    """SQL with places such as %(sale)s, each of which it casts where its type does not follow from a column."""

    def __init__(self, sql: str) -> None:
        self.names = tuple(dict.fromkeys(PLACE.findall(sql)))
        self.sql = PLACE.sub(lambda place: f"${self.names.index(place[1]) + 1}", sql).encode()

    def values(self, given: Mapping[str, str | None]) -> list[bytes | None]:
        values = (given[name] for name in self.names)
        return [None if value is None else value.encode() for value in values]


def text_array(values: Iterable[str]) -> str:
    """The texts as PostgreSQL writes an array of them."""
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"


def bytea(value: bytes) -> str:
    return f"\\x{value.hex()}"


def run(conn: Connection, asked: Sequence[Asked], *, commit: bool = False) -> list[PGresult]:
    """Execute all of it in the transaction of `Database.begin`, which begins now if nothing was asked of it before.

    With `commit` it also ends now; the block of `begin` then finds nothing left to commit.
    """
    told = [(statement.sql, statement.values(given)) for statement, given in asked]
    with driver_of(conn) as driver:
        assert isinstance(driver, WatchedConnection)
        with driver.lock:
            answers: list[PGresult] = driver.wait(_communicate(driver, told, commit=commit))
        for answer in answers:
            if answer.status in _FAILED:
                raise errors.error_from_result(answer, encoding=driver.info.encoding)
    return answers


def _communicate(
    driver: WatchedConnection, told: Sequence[tuple[bytes, list[bytes | None]]], *, commit: bool
) -> Generator[Any, Any, list[PGresult]]:
    """The answers to the statements, or to all that was sent when something failed."""
    server = driver.pgconn
    try:
        begins = server.transaction_status == pq.TransactionStatus.IDLE  # asked before: now it is active
        server.enter_pipeline_mode()
        wanted, made = _send(driver, told, begins=begins, commit=commit)
        yield from generators.send(server)
        answers: list[PGresult] = []
        for _ in range(wanted[-1] + 1 + commit):
            answers += yield from generators.fetch_many(server)
        yield from generators.fetch_many(server)  # that of the end of the message
        server.exit_pipeline_mode()
    except BaseException:
        server.finish()  # nobody knows any more what is on its way
        raise
    for at, (sql, name) in made.items():
        if answers[at].status not in _FAILED:
            driver.prepared[sql] = name
    return answers if any(each.status in _FAILED for each in answers) else [answers[at] for at in wanted]


def _send(
    driver: WatchedConnection, told: Sequence[tuple[bytes, list[bytes | None]]], *, begins: bool, commit: bool
) -> tuple[list[int], dict[int, tuple[bytes, bytes]]]:
    """Which of the answers are those of the statements, and which tell whether one was prepared."""
    server = driver.pgconn
    wanted, made, sent = [], {}, 0
    if begins:
        server.send_query_params(b"begin", None)
        sent += 1
    for sql, values in told:
        name = driver.prepared.get(sql)
        if name is None:
            name = driver.next_name()
            server.send_prepare(name, sql)
            made[sent] = sql, name
            sent += 1
        server.send_query_prepared(name, values)
        wanted.append(sent)
        sent += 1
    if commit:
        server.send_query_params(b"commit", None)
    server.pipeline_sync()
    return wanted, made
