"""Servers and processes for the benchmarks: PostgreSQL that keeps its promises (fsync on), RabbitMQ, our own roles."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from apotheca import processes
from apotheca.postgres import Postgres
from shared import migrations
from shared.identity import LocalIssuer
from shared.service import load
from tests.support.infrastructure import open_rabbitmq

READY_WITHIN_S = 60
ROOT = Path(__file__).parents[2]


@dataclass
class Bench:
    """One PostgreSQL with a database per service, one broker, one issuer of tokens."""

    folder: Path
    postgres: Postgres
    issuer: LocalIssuer
    stack: ExitStack
    amqp_url: str | None = None
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def url(self, package: str) -> str:
        """The SQLAlchemy URL of a service's database, made and migrated at first use."""
        if package not in self.ports:
            self.ports[package] = processes.free_port()
            self.postgres.ensure_database(package, package, "bench")
            migrations.upgrade(load(package), self.postgres.url(package, package, "bench"))
        return self.postgres.url(package, package, "bench")

    def plain_url(self, package: str) -> str:
        return self.url(package).replace("+psycopg", "")

    def connect(self, package: str) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self.plain_url(package), autocommit=True)

    def broker(self) -> str:
        if self.amqp_url is None:
            self.amqp_url = open_rabbitmq(self.stack).vhost()
        return self.amqp_url

    def address(self, package: str) -> str:
        self.url(package)
        return f"http://127.0.0.1:{self.ports[package]}"

    def environment(self, package: str, *, transport: str = "amqp", **extra: str) -> dict[str, str]:
        feeds = ",".join(
            f"{name}=http://127.0.0.1:{port}" for name, port in self.ports.items() if name != package
        )
        own = {
            "DATABASE_URL": self.url(package),
            "TRANSPORT": transport,
            "JWKS": str(self.issuer.jwks),
            "PORT": str(self.ports[package]),
            "FEEDS": feeds,
            "FEED_TOKEN": self.issuer.token("bench", ["feed"]),
            "MASTER_KEY": "A" * 43 + "=",
            "LOG_LEVEL": "WARNING",
            **extra,
        }
        if transport == "amqp":
            own["AMQP_URL"] = self.broker()
        return {**os.environ, **{f"APOTHECA_{name}": value for name, value in own.items()}}

    def database_mb(self) -> int:
        """What the database server's processes take now, in MB; memory they share counts once."""
        pid = int((self.postgres.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        total_kb = 0
        for each in (pid, *_children(pid)):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total_kb += int(line.split()[1])
        return total_kb // 1024

    @contextmanager
    def process(self, package: str, role: str, **options: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run one role of one service; it is stopped when the block ends."""
        environment = self.environment(package, **options)
        started = subprocess.Popen([sys.executable, "-m", "shared.run", package, role], env=environment)
        self.running[f"{package} {role}"] = started
        try:
            if role == "web":
                wait_until_ready(f"http://127.0.0.1:{environment['APOTHECA_PORT']}")
            yield started
        finally:
            started.terminate()
            started.wait(timeout=20)


@contextmanager
def bench() -> Iterator[Bench]:
    folder = Path(tempfile.mkdtemp(prefix="apotheca-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = Postgres(folder / "postgres")
        stack.callback(postgres.stop)
        postgres.start()
        yield Bench(folder=folder, postgres=postgres, issuer=LocalIssuer(folder / "keys"), stack=stack)


@contextmanager
def bare_web(program: str, plain_url: str) -> Iterator[str]:
    """Run a bare program of `deploy.bench.limits` as our web processes run, over a database; its host and port."""
    port = processes.free_port()
    command = [sys.executable, "-m", "gunicorn", "-k", "gthread", "--threads", "8", "--keep-alive", "30"]
    command += ["--no-control-socket", "-b", f"127.0.0.1:{port}", "--log-level", "warning"]
    command += [f"deploy.bench.limits.{program}:app"]
    started = subprocess.Popen(command, env={**os.environ, "BARE_DATABASE_URL": plain_url}, cwd=ROOT)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", is_ready=lambda _: True)
        yield f"127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(timeout=20)


def wait_until_ready(address: str, is_ready: Callable[[int], bool] = lambda status: status == 200) -> None:
    """Wait for an answer of `/readyz` whose status is ready."""
    import httpx

    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        try:
            if is_ready(httpx.get(f"{address}/readyz", timeout=2).status_code):
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"{address} was not ready within {READY_WITHIN_S} s")


def peak_rss_mb(pid: int) -> int:
    """The largest resident size so far of a process and its children, summed, in MB."""
    total_kb = 0
    for each in (pid, *_children(pid)):
        for line in Path(f"/proc/{each}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                total_kb += int(line.split()[1])
    return total_kb // 1024


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        children = (task / "children").read_text().split()
        found += [int(child) for child in children]
    return found
