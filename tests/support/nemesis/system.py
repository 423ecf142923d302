"""Finance that sells, its relays, and two readers of its events, as real processes that may be killed at any instant."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import httpx

from apotheca.processes import free_port, spawn
from shared.database import Database
from shared.identity import LocalIssuer
from shared.sequencer import number_events
from tests.support import queues
from tests.support.brokers import RabbitMQ
from tests.support.eventually import eventually
from tests.support.finance_builders import a_line, money
from tests.support.infrastructure import migrate
from tests.support.nemesis import mutants
from tests.support.nemesis.checker import Op
from tests.support.network import Network, through_a_network
from tests.support.postgres_that_dies import MortalPostgres, mortal_postgres
from tests.support.roles import create_tables, rights_around

ANSWER_S = 10
ROLES = ("finance/web", "finance/relay", "finance/relay#2", "reporting/consumer", "observer/consumer")
SOLD_AT = datetime.now(UTC) - timedelta(days=1)
"""The same instant for all: only amounts matter here, and no jump of a clock makes it a sale of the future."""


@dataclass(slots=True, kw_only=True)
class System:
    folder: Path
    environments: Mapping[str, Mapping[str, str]]
    producer: MortalPostgres
    readers: MortalPostgres
    broker: RabbitMQ
    vhost: str
    """Its name at the broker, and its address without a network between."""
    amqp_url: str
    networks: Mapping[str, Network]
    address: str
    token: str
    urls: Mapping[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        package, role = name.partition("#")[0].split("/")
        with (self.folder / f"{name.replace('/', '-')}.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.support.nemesis.mutants", package, role]
            self.running[name] = spawn(
                command, log=log, env=dict(self.environments[package]), death_signal=signal.SIGKILL
            )

    def kill(self, name: str) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.running[name].pid, signal.SIGKILL)
        self.running[name].wait()

    def ensure_running(self) -> None:
        """What ended by itself is started anew, as a supervisor of containers does."""
        for name, process in self.running.items():
            if process.poll() is not None:
                self.start(name)

    def set_clock(self, off_s: float) -> None:
        (self.folder / "clock").write_text(str(off_s))

    def is_selling(self) -> bool:
        return httpx.get(f"{self.address}/readyz", trust_env=False, timeout=2).status_code == 200

    def books(self) -> dict[str, int]:
        return dict(self._pairs("finance", "select receipt_number, total_fen from sales"))

    def facts(self) -> dict[str, list[tuple[str, int]]]:
        numbers = dict(self._pairs("finance", "select sale_id::text, receipt_number from sales"))
        reported = self._pairs("reporting", "select sale_id, total_fen from facts.fact_sales")
        return {
            "reporting": [(numbers.get(sale, f"sale {sale}"), fen) for sale, fen in reported],
            "observer": self._pairs("observer", "select receipt, fen from seen"),
        }

    def _pairs(self, service: str, sql: str) -> list[tuple]:
        database = Database(self.urls[service], pool_size=2)
        try:
            with database.begin() as conn:
                return [tuple(row) for row in conn.exec_driver_sql(sql)]
        finally:
            database.dispose()

    def settled(self) -> bool:
        """Both readers have as many facts as the books have sales: nothing is on its way any more."""
        wanted = len(self.books())
        return all(len({receipt for receipt, _ in facts}) >= wanted for facts in self.facts().values())


@contextmanager
def running(
    broker: RabbitMQ,
    folder: Path,
    data: tuple[Path, Path],
    mutation: tuple[str, str],
    *,
    all_have_feeds: bool,
) -> Iterator[System]:
    """The system, selling; `mutation` names a process (`finance/web`) and how it is broken, or two empty texts.

    Without a feed the observer knows only what the broker brings: it tells what the relay alone has lost.
    """
    with ExitStack() as stack:
        producer = stack.enter_context(mortal_postgres(data[0]))
        readers = stack.enter_context(mortal_postgres(data[1]))
        urls = {
            "finance": migrated(producer, "finance"),
            "reporting": migrated(readers, "reporting"),
            "observer": create_tables(mutants.OBSERVER, readers.create_database("observer")),
        }
        vhost = broker.vhost()
        queues.declare(mutants.OBSERVER, vhost)
        to_relay, relay_url = stack.enter_context(through_a_network(vhost))
        to_readers, readers_url = stack.enter_context(through_a_network(vhost))
        issuer = LocalIssuer(folder)
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        (folder / "clock").write_text("0")
        common = os.environ | {
            "APOTHECA_TRANSPORT": "amqp",
            "APOTHECA_JWKS": str(issuer.jwks),
            "APOTHECA_ISSUER": issuer.issuer,
            "APOTHECA_AUDIENCE": issuer.audience,
            "APOTHECA_PORT": str(port),
            "APOTHECA_NEMESIS_CLOCK": str(folder / "clock"),
            "APOTHECA_NEMESIS_MUTANT": mutation[0],
            "APOTHECA_NEMESIS_MUTATION": mutation[1],
        }
        with_feeds = {
            "APOTHECA_FEEDS": f"finance={address}",
            "APOTHECA_FEED_TOKEN": issuer.token("reporting", ["feed"]),
        }
        environments = {
            "finance": common | {"APOTHECA_DATABASE_URL": urls["finance"], "APOTHECA_AMQP_URL": relay_url},
            "reporting": common
            | with_feeds
            | {"APOTHECA_DATABASE_URL": urls["reporting"], "APOTHECA_AMQP_URL": readers_url},
            "observer": common
            | (with_feeds if all_have_feeds else {})
            | {"APOTHECA_DATABASE_URL": urls["observer"], "APOTHECA_AMQP_URL": readers_url},
        }
        system = System(
            folder=folder,
            environments=environments,
            producer=producer,
            readers=readers,
            broker=broker,
            vhost=vhost.rsplit("/", 1)[1],
            amqp_url=vhost,
            networks={"relay": to_relay, "readers": to_readers},
            address=address,
            token=issuer.token("till", ["till"]),
            urls=urls,
        )
        try:
            for name in ROLES:
                system.start(name)
            eventually(system.is_selling, within_s=90)
            yield system
        finally:
            for name in system.running:
                system.kill(name)


def migrated(server: MortalPostgres, package: str) -> str:
    """A database of `package`; returns the URL of the role that runs it."""
    owner, runtime = rights_around(server.create_database(package), package)
    migrate(package, owner, package)
    return runtime


def numbered(system: System) -> None:
    """Number what still waits, so that the count of events is final."""
    database = Database(system.urls["finance"], pool_size=1)
    with database.begin() as conn:
        number_events(conn)
    database.dispose()


class Tills:
    """Tills that post one receipt after another and repeat what was not answered, as real ones do.

    Each has its own range of numbers; the history is complete, also when the run is cut off.
    """

    def __init__(self, system: System, count: int = 3) -> None:
        self._system = system
        self._begin = time.monotonic()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.history: list[Op] = []
        self._threads = [threading.Thread(target=self._sell, args=(number,)) for number in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def acknowledged(self) -> int:
        with self._lock:
            return sum(op.outcome == "ok" for op in self.history)

    def _note(self, till: int, receipt: str, fen: int, outcome: str, detail: str = "") -> None:
        at = time.monotonic() - self._begin
        with self._lock:
            self.history.append(
                Op(at_s=at, till=till, receipt=receipt, fen=fen, outcome=outcome, detail=detail)
            )

    def _sell(self, till: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            fen = 100 + number % 900
            receipt = f"N{till}-{number}"
            self._note(till, receipt, fen, "asked")
            while True:
                outcome, detail = self._post(receipt, fen)
                self._note(till, receipt, fen, outcome, detail)
                if outcome != "unknown" or self._stop.wait(0.1):
                    break
            self._stop.wait(0.02)

    def _post(self, receipt: str, fen: int) -> tuple[str, str]:
        line = a_line(
            quantity=1, unit_price=money(fen), discount=money(0), cost=money(fen // 2), expiry="2099-12-31"
        )
        body = {
            "receipt_number": receipt,
            "branch_id": "S001",
            "channel": "store",
            "sold_at": SOLD_AT.isoformat(),
            "lines": [line],
            "tenders": [{"tender": "cash", "amount": money(fen)}],
        }
        headers = {"Authorization": f"Bearer {self._system.token}", "Idempotency-Key": receipt}
        try:
            answer = httpx.post(
                f"{self._system.address}/v1/sales",
                json=body,
                headers=headers,
                trust_env=False,
                timeout=ANSWER_S,
            )
        except httpx.HTTPError as error:
            return "unknown", type(error).__name__
        if answer.status_code in {200, 201}:
            return "ok", ""
        if answer.status_code in {429, 500, 502, 503, 504}:
            return "unknown", str(answer.status_code)
        return "refused", answer.text[:300]
