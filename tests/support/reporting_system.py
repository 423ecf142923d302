"""Reporting with the four services it listens to, as real web servers over real databases, in one process.

The producers are services that have nothing but the outbox and the feed: what they publish are the events of
tests.support.facts, numbered by the real sequencer.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from werkzeug.serving import make_server

from reporting.app import SERVICE
from shared import outbox, sequencer, watermark
from shared.app import new_app
from shared.client import FeedClient
from shared.clock import utc_now
from shared.consumer import apply_batch
from shared.database import Database, new_metadata
from shared.events import Envelope, Event
from shared.identity import LocalIssuer, system_actor
from shared.service import Service
from shared.settings import Settings
from shared.tables import mechanism_tables
from shared.transaction import Tx
from tests.support.roles import behind, create_tables


@dataclass(slots=True)
class Producer:
    """A service that publishes what it is told to."""

    name: str
    database: Database
    service: Service
    archive: Path
    url: str = ""
    published: list[Envelope] = field(default_factory=list)

    def publish(self, events: Iterable[Envelope]) -> None:
        """Write the events to the outbox and number them; their own `seq` is not used."""
        with self.database.begin() as conn:
            tx = Tx(conn=conn, actor=system_actor(self.name), now=utc_now())
            for each in events:
                published = len(self.published) + 1
                self.published.append(each)
                outbox.append(
                    tx,
                    Event(
                        type=each.type,
                        subject=each.subject if ".period." in each.type else f"{each.subject}-{published}",
                        version=published if ".period." in each.type else 1,
                        day=each.day,
                        amount_fen=each.amount_fen,
                        data=each.data,
                    ),
                )
        with self.database.begin() as conn:
            while sequencer.number_events(conn):
                pass


@dataclass(slots=True)
class System:
    """`deliver` brings reporting what the producers published, as the consumer does with feed transport."""

    database: Database
    settings: Settings
    issuer: LocalIssuer
    producers: dict[str, Producer]
    feeds: dict[str, FeedClient]
    url: str = ""

    def publish(self, *events: Envelope) -> None:
        """Each event at its own source."""
        for name, producer in self.producers.items():
            own = [each for each in events if each.source == name]
            if own:
                producer.publish(own)

    def deliver(self, *, but: Sequence[tuple[str, int]] = ()) -> None:
        """Apply everything published so far, except the numbered events of `but`, as if they were lost."""
        for source, feed in self.feeds.items():
            page = feed.events(after=0, limit=5_000)
            apply_batch(self.database, SERVICE, [each for each in page if (source, each.seq) not in but])
            with self.database.begin() as conn:
                watermark.ensure_sources(conn, SERVICE.sources)
                watermark.advance(conn, source)
            watermark.beat(self.database, SERVICE.name, feed)

    def token(self, *roles: str, branches: Sequence[str] = ("*",)) -> str:
        return self.issuer.token("someone", roles, branches)

    def headers(
        self, *roles: str, branches: Sequence[str] = ("*",), key: str | None = None
    ) -> dict[str, str]:
        given = {"Authorization": f"Bearer {self.token(*roles, branches=branches)}"}
        return {**given, "Idempotency-Key": key} if key else given


@contextmanager
def running(postgres, reporting_url: str, folder: Path) -> Iterator[System]:
    """The system, its servers listening on 127.0.0.1; everything is taken down afterwards."""
    with ExitStack() as stack:
        issuer = LocalIssuer(folder, issuer="test", audience="test")
        common = {"jwks": str(issuer.jwks), "issuer": "test", "audience": "test"}
        producers = {}
        for name in SERVICE.sources:
            above = postgres.create_database()
            stack.callback(postgres.drop_database, above)
            metadata = new_metadata()
            mechanism_tables(metadata)
            service = Service(name=name, title=name, metadata=metadata)
            url = create_tables(service, above)
            database = Database(url, pool_size=4)
            stack.callback(database.dispose)
            producers[name] = Producer(name, database, service, folder / name)
            producers[name].url = _serve(
                stack, service, Settings(database_url=url, archive=str(folder / name), **common)
            )
        feed_token = issuer.token("reporting", ["feed"])
        settings = Settings(
            database_url=reporting_url,
            feeds={name: each.url for name, each in producers.items()},
            feed_token=feed_token,
            **common,
        )
        database = Database(reporting_url, pool_size=6)
        stack.callback(database.dispose)
        feeds = {name: FeedClient(name, each.url, feed_token) for name, each in producers.items()}
        for feed in feeds.values():
            stack.callback(feed.close)
        yield System(
            database=database,
            settings=settings,
            issuer=issuer,
            producers=producers,
            feeds=feeds,
            url=_serve(stack, SERVICE, settings),
        )


def _serve(stack: ExitStack, service: Service, settings: Settings) -> str:
    app = new_app(service, settings)
    stack.callback(app.extensions["database"].dispose)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"


def forget(database: Database) -> None:
    """Empty reporting's database, as if it were new."""
    with behind(database) as conn:
        tables = ", ".join(
            f"{table.schema or 'public'}.{table.name}" for table in SERVICE.metadata.tables.values()
        )
        conn.execute(text(f"truncate {tables}"))
