"""The smallest producer and consumer: a till that posts amounts, a book that enters them. Subject of the backbone tests.

`python -m tests.support.ledger_service <role> <settings as JSON>` starts one process that tests may kill; the
environment variable LEDGER_DIE names the point at which it kills itself.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import BigInteger, Column, Date, Identity, Integer, Table, Text, create_engine, text
from werkzeug.serving import make_server

from shared import amqp_publish, amqp_source, consumer, consuming, feed_source, logs, outbox, relay
from shared.clock import utc_now
from shared.consumer import UnknownEventVersion
from shared.database import Database, new_metadata
from shared.errors import Invalid
from shared.events import Envelope, Event
from shared.identity import LocalIssuer, system_actor
from shared.service import Service
from shared.settings import Settings
from shared.tables import mechanism_tables
from shared.transaction import Tx
from shared.web import new_app

FIRST_DAY = date(2026, 1, 30)
POSTED = "till.slip.posted.v1"

till_metadata = new_metadata()
mechanism_tables(till_metadata)
Table(
    "slips",
    till_metadata,
    Column("slip_id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
)

book_metadata = new_metadata()
mechanism_tables(book_metadata)
# No unique key on (source, seq): an event applied twice must show, not be hidden.
Table(
    "entries",
    book_metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
)
Table(
    "latest",
    book_metadata,
    Column("slip_id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
)


class NegativeAmount(Invalid):
    code = "negative_amount"


def enter(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """A fact table and a state table: what reporting and the other services have."""
    for envelope in envelopes:
        if envelope.type != POSTED:
            raise UnknownEventVersion(f"unknown type {envelope.type}")
        if envelope.data["amount_fen"] < 0:
            raise NegativeAmount(f"slip {envelope.subject} is negative")
    _store(tx, envelopes)


def enter_anything(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """`enter` after the fix: negative amounts and other versions are understood."""
    _store(tx, envelopes)


def _store(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    cursor = tx.conn.connection.driver_connection.cursor()
    cursor.execute(
        "insert into entries (source, seq, type, day, amount_fen)"
        " select * from unnest(%s::text[], %s::bigint[], %s::text[], %s::date[], %s::bigint[])",
        (
            [each.source for each in envelopes],
            [each.seq for each in envelopes],
            [each.type for each in envelopes],
            [each.day for each in envelopes],
            [each.data["amount_fen"] for each in envelopes],
        ),
    )
    newest: dict[str, Envelope] = {}
    for each in envelopes:
        if each.subject not in newest or newest[each.subject].version < each.version:
            newest[each.subject] = each
    ordered = [newest[subject] for subject in sorted(newest)]
    cursor.execute(
        "insert into latest select * from unnest(%s::text[], %s::int[], %s::bigint[])"
        " on conflict (slip_id) do update set version = excluded.version, amount_fen = excluded.amount_fen"
        " where latest.version < excluded.version",
        (
            [each.subject for each in ordered],
            [each.version for each in ordered],
            [each.data["amount_fen"] for each in ordered],
        ),
    )


TILL = Service(name="till", title="Till", metadata=till_metadata)
BOOK = Service(name="book", title="Book", metadata=book_metadata, sources=("till",), handle=enter)
BOOK_FIXED = Service(
    name="book", title="Book", metadata=book_metadata, sources=("till",), handle=enter_anything
)


def post(
    tx: Tx, slip_id: str, amount_fen: int, *, days: int = 0, event_type: str = POSTED, wait_s: float = 0
) -> None:
    """Post a slip (or its next version) and the event of it, in the caller's transaction."""
    version = tx.conn.execute(
        text(
            "insert into slips as s (slip_id, version, amount_fen) values (:slip, 1, :amount)"
            " on conflict (slip_id) do update set version = s.version + 1, amount_fen = excluded.amount_fen"
            " returning version"
        ),
        {"slip": slip_id, "amount": amount_fen},
    ).scalar_one()
    day = FIRST_DAY + timedelta(days=days)
    outbox.append(
        tx,
        Event(
            type=event_type,
            subject=slip_id,
            version=version,
            day=day,
            amount_fen=amount_fen,
            data={"slip_id": slip_id, "amount_fen": amount_fen, "note": "x" * 200},
        ),
    )
    if wait_s:
        threading.Event().wait(wait_s)


def tx_on(conn, service: str = "till") -> Tx:
    return Tx(
        conn=conn, actor=system_actor(service), now=utc_now(), traceparent=f"00-{'a' * 32}-{'b' * 16}-01"
    )


def post_many(database: Database, count: int, *, prefix: str = "s", slips: int | None = None) -> None:
    """Post `count` slips, 50 to a transaction, over three days; `slips` bounds how many different ones."""
    for start in range(0, count, 50):
        with database.begin() as conn:
            tx = tx_on(conn)
            for number in range(start, min(start + 50, count)):
                name = f"{prefix}{number % (slips or count)}"
                post(tx, name, 100 + number, days=number % 3)


@dataclass(kw_only=True)
class World:
    """A till and a book with a database each, the till's feed served by this process, and their processes."""

    till: Database
    book: Database
    till_settings: Settings
    book_settings: Settings
    issuer: LocalIssuer
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, role: str, *, die: str = "") -> subprocess.Popen[bytes]:
        """Start the till's relay or the book's consumer as a process of its own."""
        settings = self.till_settings if role == "relay" else self.book_settings
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.ledger_service", role, json.dumps(_plain(settings))],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "LEDGER_DIE": die},
            stderr=(Path(self.issuer.jwks).parent / f"{role}.log").open("ab"),
        )
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.till.dispose()
        self.book.dispose()


def _plain(settings: Settings) -> dict[str, object]:
    return {
        "database_url": settings.database_url,
        "transport": settings.transport,
        "amqp_url": settings.amqp_url,
        "feeds": dict(settings.feeds),
        "feed_token": settings.feed_token,
    }


def create_tables(service: Service, url: str) -> None:
    engine = create_engine(url)
    service.metadata.create_all(engine)
    engine.dispose()


@contextmanager
def world(
    till_url: str, book_url: str, folder: Path, *, transport: str, amqp_url: str | None = None
) -> Iterator[World]:
    """Tables made, feed served; processes started in it are killed at the end."""
    create_tables(TILL, till_url)
    create_tables(BOOK, book_url)
    issuer = LocalIssuer(folder)
    token = issuer.token("book", ["feed"])
    till_settings = Settings(
        database_url=till_url,
        transport=transport,
        amqp_url=amqp_url,
        jwks=str(issuer.jwks),
        issuer=issuer.issuer,
        audience=issuer.audience,
    )
    with served(TILL, till_settings) as address:
        book_settings = Settings(
            database_url=book_url,
            transport=transport,
            amqp_url=amqp_url,
            feeds={"till": address},
            feed_token=token,
        )
        made = World(
            till=Database(till_url, pool_size=20),
            book=Database(book_url, pool_size=8),
            till_settings=till_settings,
            book_settings=book_settings,
            issuer=issuer,
        )
        try:
            yield made
        finally:
            made.end()


@contextmanager
def served(service: Service, settings: Settings) -> Iterator[str]:
    """Serve a service's web process from a thread; yields its address."""
    app = new_app(service, settings)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["wakeup"].close()
        app.extensions["database"].dispose()


# --- the processes --------------------------------------------------------------------------------


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(point: str) -> None:
    """Replace the function at which the process shall kill itself."""
    if point == "between confirm and cursor":

        def save_cursor(connection, seq) -> None:
            _die()

        amqp_publish.save_cursor = save_cursor
    elif point.startswith("after commit "):
        commits = [int(point.rsplit(" ", 1)[1])]

        def wrapped(apply: Callable) -> Callable:
            def apply_batch(*arguments):
                result = apply(*arguments)
                commits[0] -= 1
                if commits[0] <= 0:
                    _die()
                return result

            return apply_batch

        amqp_source.apply_batch = wrapped(consumer.apply_batch)
        feed_source.apply_batch = wrapped(consumer.apply_batch)


def main(role: str, settings: Settings) -> None:
    logs.configure(service="ledger", process=role)
    _arm(os.environ.get("LEDGER_DIE", ""))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if role == "relay":
        relay.run(TILL, settings, stop)
    else:
        consuming.run(BOOK, settings, stop)


if __name__ == "__main__":
    main(sys.argv[1], Settings(**json.loads(sys.argv[2])))
