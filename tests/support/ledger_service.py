"""The smallest producer and consumer: a till that posts amounts, a book that enters them. Subject of the backbone tests.

The processes are forked from a server that has imported everything, so that starting one takes milliseconds.
"""

import json
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from sqlalchemy import BigInteger, Column, Date, Identity, Integer, Table, Text, text
from werkzeug.serving import make_server

from shared import (
    amqp_publish,
    amqp_source,
    consumer,
    consuming,
    feed_source,
    logs,
    outbox,
    relay,
    run,
    scheduler,
)
from shared.app import new_app
from shared.clock import utc_now
from shared.database import Database, new_metadata
from shared.errors import Invalid
from shared.events import Envelope, Event
from shared.identity import LocalIssuer, system_actor
from shared.service import LostEvent, Service
from shared.settings import Settings
from shared.tables import declare, mechanism_tables
from shared.transaction import Tx
from tests.support.roles import create_tables

PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.support.ledger_service"])
FIRST_DAY = date(2026, 1, 30)
POSTED = "till.slip.posted.v1"
NEWER = "till.slip.posted.v2"

till_metadata = new_metadata()
mechanism_tables(till_metadata)
Table(
    "slips",
    till_metadata,
    Column("slip_id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
)
declare(till_metadata, changes=("slips",))

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
declare(
    book_metadata,
    changes=("latest",),
    removes={"entries": "facts that a log has lost", "latest": "states are filled anew after that"},
)


class NegativeAmount(Invalid):
    code = "negative_amount"


def enter(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """A fact table and a state table: what reporting and the other services have."""
    for envelope in envelopes:
        if envelope.data["amount_fen"] < 0:
            raise NegativeAmount(f"slip {envelope.subject} is negative")
    _store(tx, envelopes)


def enter_anything(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """`enter` after the fix: negative amounts are understood."""
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
    _keep_latest(tx, envelopes)


def _keep_latest(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    newest: dict[str, Envelope] = {}
    for each in envelopes:
        if each.subject not in newest or newest[each.subject].version < each.version:
            newest[each.subject] = each
    ordered = [newest[subject] for subject in sorted(newest)]
    tx.conn.connection.driver_connection.cursor().execute(
        "insert into latest select * from unnest(%s::text[], %s::int[], %s::bigint[])"
        " on conflict (slip_id) do update set version = excluded.version, amount_fen = excluded.amount_fen"
        " where latest.version < excluded.version",
        (
            [each.subject for each in ordered],
            [each.version for each in ordered],
            [each.data["amount_fen"] for each in ordered],
        ),
    )


def withdraw(tx: Tx, source: str, after: int, lost: Sequence[LostEvent], log: Iterator[Envelope]):
    """Facts are keyed by event and taken out; states are filled anew from what both logs have."""
    gone = tx.conn.exec_driver_sql(
        "delete from entries where source = %s and seq = any(%s)", (source, [each.seq for each in lost])
    )
    yield {"undone": "entries", "rows": gone.rowcount}
    tx.conn.exec_driver_sql("delete from latest")
    for each in log:
        _keep_latest(tx, [each])


TILL = Service(name="till", title="Till", metadata=till_metadata)
BOOK = Service(
    name="book",
    title="Book",
    metadata=book_metadata,
    sources=("till",),
    handle=enter,
    withdraw=withdraw,
    known_types=frozenset({POSTED}),
)
BOOK_FIXED = replace(BOOK, handle=enter_anything, known_types=frozenset({POSTED, NEWER}))


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


@contextmanager
def tills(
    database: Database, *, writers: int = 2, wait_s: float = 0, share_undone: float = 0
) -> Iterator["Posted"]:
    """Post from several threads for the length of the block, each transaction random in size and order.

    `share_undone` of the transactions roll back; `wait_s` bounds the random time between event and commit.
    """
    posted = Posted()
    stop = threading.Event()

    def write(writer: int) -> None:
        dice = random.Random(writer)
        number = 0
        while not stop.is_set():
            undone = dice.random() < share_undone
            number += 1
            try:
                with database.begin() as conn:
                    tx = tx_on(conn)
                    # Slips in name order, so that two writers wait for each other and never deadlock.
                    for slip in sorted(dice.sample(range(200), dice.randint(1, 3))):
                        post(
                            tx, f"w{slip:03d}", number, days=dice.randint(0, 2), wait_s=dice.random() * wait_s
                        )
                    if undone:
                        _change_mind()
            except _Undone:
                posted.undone += 1
            except Exception as error:  # noqa: BLE001  counted, and the test says how many it allows
                posted.failed.append(repr(error))
            else:
                posted.done += 1
            stop.wait(0.01)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    try:
        yield posted
    finally:
        stop.set()
        for thread in threads:
            thread.join()


class _Undone(Exception):
    """A business transaction that changes its mind."""


def _change_mind() -> None:
    raise _Undone


@dataclass
class Posted:
    """Transactions by outcome."""

    done: int = 0
    undone: int = 0
    failed: list[str] = field(default_factory=list)


def body_of(envelope: Envelope) -> bytes:
    return json.dumps(envelope.data).encode()


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
    processes: list[ForkServerProcess] = field(default_factory=list)

    @property
    def vhost(self) -> str:
        assert self.book_settings.amqp_url
        return self.book_settings.amqp_url.rsplit("/", 1)[1]

    def start(self, role: str, *, die: str = "") -> ForkServerProcess:
        """Start the till's web, relay or scheduler, or the book's consumer, as a process of its own."""
        settings = self.book_settings if role == "consumer" else self.till_settings
        log = Path(self.issuer.jwks).parent / f"{role}.log"
        process = PROCESSES.Process(target=main, args=(role, settings, die, str(log)))
        process.start()
        self.processes.append(process)
        return process

    @contextmanager
    def here(self, role: str, service: Service = BOOK) -> Iterator[None]:
        """The till's relay or the book's consumer as a thread of this process: its metrics can be read."""
        stop = threading.Event()
        if role == "relay":
            work = threading.Thread(target=relay.run, args=(TILL, self.till_settings, stop))
        else:
            work = threading.Thread(target=consuming.run, args=(service, self.book_settings, stop))
        work.start()
        try:
            yield
        finally:
            stop.set()
            work.join(10)
            assert not work.is_alive(), f"the {role} does not stop within 10 s"

    def kill(self) -> None:
        """Kill every process: from then on nobody but the test reads or writes the databases."""
        for process in self.processes:
            process.kill()
            process.join()

    def end(self) -> None:
        self.kill()
        self.till.dispose()
        self.book.dispose()


def ends(process: ForkServerProcess, within_s: float = 15) -> int | None:
    """Wait for the end of `process`; its exit code, -9 after SIGKILL, None when it goes on."""
    process.join(within_s)
    return process.exitcode


@contextmanager
def world(
    till_url: str, book_url: str, folder: Path, *, transport: str, amqp_url: str | None = None
) -> Iterator[World]:
    """Tables made, feed served; processes started in it are killed at the end.

    The URLs are the superuser's. What the world is given is what a service is given: the role that owns nothing.
    """
    till_url, book_url = create_tables(TILL, till_url), create_tables(BOOK, book_url)
    issuer = LocalIssuer(folder)
    token = issuer.token("book", ["feed"])
    till_settings = Settings(
        database_url=till_url,
        transport=transport,
        amqp_url=amqp_url,
        jwks=str(issuer.jwks),
        issuer=issuer.issuer,
        audience=issuer.audience,
        archive=str(folder / "archive"),
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
    elif point == "before commit":

        def apply_nothing(*_arguments, **_named):
            _die()

        amqp_source.apply_batch = feed_source.apply_batch = apply_nothing
    elif point.startswith("after commit "):
        commits = [int(point.rsplit(" ", 1)[1])]

        def wrapped(apply: Callable) -> Callable:
            def apply_batch(*arguments, **named):
                result = apply(*arguments, **named)
                commits[0] -= 1
                if commits[0] <= 0:
                    _die()
                return result

            return apply_batch

        amqp_source.apply_batch = wrapped(consumer.apply_batch)
        feed_source.apply_batch = wrapped(consumer.apply_batch)


def main(role: str, settings: Settings, die: str, log: str) -> None:
    """What a started process does: the role, until SIGTERM or until it kills itself at the point named `die`."""
    with Path(log).open("ab") as file:
        os.dup2(file.fileno(), 2)
    logs.configure(service="ledger", process=role)
    _arm(die)
    if role == "web":
        run._web(
            TILL, settings
        )  # what `python -m shared.run till web` does, for a service that is no package
        return
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if role == "relay":
        relay.run(TILL, settings, stop)
    elif role == "scheduler":
        scheduler.run(TILL, settings, stop)
    else:
        consuming.run(BOOK, settings, stop)
