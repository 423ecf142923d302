"""A process of the system under the nemesis: `python -m tests.support.nemesis.mutants <package> <role>`.

Beside what the product does it reads its clock through a file that the nemesis writes (APOTHECA_NEMESIS_CLOCK), and
APOTHECA_NEMESIS_MUTATION may break it on purpose:

    acknowledge-before-commit    web answers, and commits a little later
    cursor-before-confirm        the relay takes an event for confirmed when it was sent
    inbox-without-key            the consumer forgets what it has applied

The package `observer` is a reader that knows the broker alone and no feed: what the broker's path loses, it lacks.
"""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Identity, Table, Text, text

from shared import clock, round_trip
from shared.database import Database, new_metadata
from shared.events import Envelope
from shared.service import Service
from shared.tables import mechanism_tables
from shared.transaction import Tx

MUTATIONS = ("acknowledge-before-commit", "cursor-before-confirm", "inbox-without-key")
LATE_S = 0.1
POSTED = "finance.sale.posted.v1"

metadata = new_metadata()
mechanism_tables(metadata)
Table(
    "seen",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("receipt", Text, nullable=False),
    Column("fen", BigInteger, nullable=False),
)


def _see(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """No key keeps a fact from being entered twice: a repetition must show."""
    rows = [
        {"receipt": each.data["receipt_number"], "fen": each.amount_fen}
        for each in envelopes
        if each.type == POSTED
    ]
    if rows:
        tx.conn.execute(text("insert into seen (receipt, fen) values (:receipt, :fen)"), rows)


OBSERVER = Service(name="observer", title="Observer", metadata=metadata, sources=("finance",), handle=_see)


def follow_clock(path: Path) -> None:
    """From now on `utc_now` is off by as many seconds as the file says. Call before anything imports it by name."""

    def utc_now() -> datetime:
        try:
            off_s = float(path.read_text() or 0)
        except (OSError, ValueError):
            off_s = 0.0
        return datetime.now(UTC) + timedelta(seconds=off_s)

    clock.utc_now = utc_now


def mutate(mutation: str) -> None:
    if mutation == "acknowledge-before-commit":
        _acknowledge_before_commit()
    elif mutation == "cursor-before-confirm":
        from shared import amqp_publish

        amqp_publish._Session._confirmed = lambda self: self._sent  # type: ignore[method-assign]
        amqp_publish.SAVE_EVENTS = 1
    elif mutation == "inbox-without-key":
        _inbox_without_key()
    elif mutation:
        raise SystemExit(f"no such mutation: {mutation}; there are {', '.join(MUTATIONS)}")


def _acknowledge_before_commit() -> None:
    @contextmanager
    def begin(self: Database) -> Iterator[Any]:
        conn = self.engine.connect()
        transaction = conn.begin()
        try:
            yield conn
        except BaseException:
            transaction.rollback()
            conn.close()
            raise

        def commit() -> None:
            transaction.commit()
            conn.close()

        threading.Timer(LATE_S, commit).start()

    def run(conn: Connection, asked: Sequence[round_trip.Asked], *, commit: bool = False) -> Any:
        return at_once(conn, asked)  # what is sent with the last message is what comes late

    at_once, round_trip.run = round_trip.run, run
    Database.begin = begin  # type: ignore[method-assign]


def _inbox_without_key() -> None:
    from shared import amqp_source

    apply = amqp_source.apply_batch

    def forget(database: Database, service: Service, received: Any, **named: Any) -> Any:
        result = apply(database, service, received, **named)
        with database.begin() as conn:
            conn.execute(text("delete from inbox"))
        return result

    amqp_source.apply_batch = forget


def main(arguments: list[str]) -> int:
    follow_clock(Path(os.environ["APOTHECA_NEMESIS_CLOCK"]))
    from shared import run

    package = arguments[0]
    if package == "observer":
        run.load = lambda _name: OBSERVER
    if os.environ.get("APOTHECA_NEMESIS_MUTANT") == "/".join(arguments):
        mutate(os.environ.get("APOTHECA_NEMESIS_MUTATION", ""))
    return run.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
