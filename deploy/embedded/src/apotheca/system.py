"""The whole system on this machine: PostgreSQL from the wheel, five services, `feed` transport, local tokens.

The same code as a deployment; only the settings differ. Everything lives in one folder (default ./var):
`postgres/`, `secrets/` (mode 600), `log/`, `archive/` (old months of the events), `anchors/` (heads of
the hash chains), `bells/`, and `lock`, which one run at a time holds. Every address is on 127.0.0.1. The start waits as long as what it waits for makes progress
(apotheca.patience).
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import shutil
import socket
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired
from threading import Event, Lock
from time import monotonic
from types import TracebackType
from typing import Self

from apotheca import processes, secret_files
from apotheca.nursery import Nursery
from apotheca.patience import Patience
from apotheca.postgres import Postgres, PostgresFailed
from apotheca.progress import Progress
from apotheca.refusals import EXIT_MACHINE, CannotRun
from apotheca.supervisor import Program, Supervisor, last_line, say_on_terminal
from shared.identity import EVERY_BRANCH, LocalIssuer
from shared.settings import SERVICES

FIRST_PORT = 8701
PORTS_FREE_WITHIN_S = 20
ANSWER_WITHIN_S = 60
PAUSE_S_MAX = 1.0
DEMONSTRATION = "demo"
"""What the demonstration writes lies here, and where it lies the services keep answers for ANSWERS_KEPT_DAYS: a
demonstration that is run again finds what it did by its Idempotency-Keys. They are a few hundred, however large the
slice; uploads know their lines by the lines' own numbers."""
ANSWERS_KEPT_DAYS = 3_650
DISK_FREE_MB_MIN = 1_024
FEED_TOKEN_LIFETIME_S = 30 * 24 * 3600


class System:
    """`with System(folder) as system:` starts everything and stops everything.

    Raises CannotRun with one sentence. `progress` is told each of the STEPS as it begins.
    """

    STEPS = 4 + 4 * len(SERVICES)

    def __init__(
        self, folder: Path, *, first_port: int = FIRST_PORT, progress: Progress | None = None
    ) -> None:
        self.folder = folder.resolve()
        self._ports = {name: first_port + offset for offset, name in enumerate(SERVICES)}
        self._progress = progress or Progress(self.STEPS)
        self._postgres = Postgres(self.folder / "postgres", on_wait=self._progress.still)
        self._nursery: Nursery | None = None
        self._opening = Lock()
        self._lock: int | None = None
        self.supervisor = Supervisor(self.folder / "log", say=say_on_terminal)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def address(self, service: str) -> str:
        """Return the base URL of `service`: "http://127.0.0.1:8702" for "finance"."""
        return f"http://127.0.0.1:{self._ports[service]}"

    def database_url(self, service: str) -> str:
        """Return the SQLAlchemy URL of the service's own database, as its own role."""
        return self._postgres.url(service, service, self._secret(f"{service}-database-password"))

    def owner_url(self, service: str) -> str:
        """Return the URL of the role that owns the service's tables: for migrations and rebuilds."""
        return self._postgres.url(service, f"{service}_owner", self._secret(f"{service}-owner-password"))

    def token(
        self,
        roles: Sequence[str],
        branches: Sequence[str] = (EVERY_BRANCH,),
        *,
        subject: str = "demo",
        lifetime_s: int = 3600,
    ) -> str:
        """Return a bearer token of the local issuer. Raises DutiesNotSegregated, RoleNotAdmitted."""
        return self.issuer.token(subject, roles, branches, lifetime_s=lifetime_s)

    @property
    def issuer(self) -> LocalIssuer:
        return LocalIssuer(self.folder / "secrets")

    def run_job(self, service: str, job: str) -> None:
        """Do now what time demands of `service`, as an operator does it. Raises CannotRun."""
        log = self.supervisor.log(f"{service} job")
        if self._wait_for_end(self._run(service, f"job:{job}", log)) != 0:
            raise CannotRun(f"The job {job} of {service} failed: {last_line(log)} (log: {log})")

    def wait(self, asked_to_stop: Event) -> bool:
        """Block until asked to stop (True) or until a process could not be kept running (False)."""
        while not asked_to_stop.wait(0.5):
            if self.supervisor.gave_up.is_set():
                return False
            if not self._postgres.is_running:
                say_on_terminal(f"PostgreSQL stopped; its log is {self.folder / 'postgres' / 'postgres.log'}")
                return False
        return True

    def stop(self) -> None:
        """Stop services first, then PostgreSQL. Safe to repeat."""
        self.supervisor.stop()
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None
        self._postgres.stop()
        self._unlock()

    def _start(self) -> None:
        self._progress.begin("checking folder, ports and disk")
        was_killed = self._take_folder()
        self._check_ports(PORTS_FREE_WITHIN_S if was_killed else 0)
        for part in ("log", "secrets"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "secrets").chmod(0o700)
        self._check_disk()
        self._progress.begin("starting PostgreSQL")
        self._open_nursery()  # imports while PostgreSQL starts
        try:
            self._postgres.start()
            self._progress.begin("making five databases unless they exist")
            for name in SERVICES:
                password, owner = (
                    self._secret(f"{name}-{whose}-password") for whose in ("database", "owner")
                )
                self._postgres.ensure_service(name, password, owner)
        except PostgresFailed as failure:
            raise CannotRun(str(failure)) from failure
        self._migrate()
        for name in SERVICES:
            for role in ("web", "background"):
                self._progress.begin(f"starting {name} {role}")
                self.supervisor.start(self._program(name, role))
        for name in SERVICES:
            self._wait_until_ready(name)
        self._progress.end()
        self.supervisor.watch()

    def _take_folder(self) -> bool:
        """Hold the folder's lock until `stop`; return whether the run before this one was killed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        holder = os.read(lock, 20).decode().strip()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            os.close(lock)
            sentence = f"The folder {self.folder} is in use by another run (process {holder}): stop that one first, or choose another place with --folder."
            raise CannotRun(sentence, EXIT_MACHINE) from held
        self._lock = lock
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        return bool(holder)

    def _unlock(self) -> None:
        if self._lock is not None:
            os.truncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    def _check_ports(self, within_s: float) -> None:
        """Refuse when a port is taken; what a killed run left may take `within_s` to let go of its own."""
        deadline = monotonic() + within_s
        while taken := self._port_in_use():
            if monotonic() >= deadline:
                name, port = taken
                sentence = f"Port {port} (for {name}) is in use: stop the program that has it, or choose others with --first-port."
                raise CannotRun(sentence, EXIT_MACHINE)
            self._progress.still()
            Event().wait(0.1)

    def _port_in_use(self) -> tuple[str, int] | None:
        for name, port in self._ports.items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    return name, port
        return None

    def _open_nursery(self) -> Nursery:
        """Return the one that lives; a dead one took its children with it."""
        with self._opening:
            if self._nursery is None or not self._nursery.is_open:
                with (self.folder / "log" / "nursery.log").open("ab") as log:
                    self._nursery = Nursery(log)
            return self._nursery

    def _check_disk(self) -> None:
        free_mb = shutil.disk_usage(self.folder).free // 1_000_000
        if free_mb < DISK_FREE_MB_MIN:
            sentence = f"Only {free_mb} MB are free for {self.folder}, {DISK_FREE_MB_MIN} MB are needed: make room, or choose another place with --folder."
            raise CannotRun(sentence, EXIT_MACHINE)

    def _migrate(self) -> None:
        self._progress.begin("loading the programs")
        running = {name: self._run(name, "migrate", self._log_of_migration(name)) for name in SERVICES}
        for name, process in running.items():
            self._progress.begin(f"migrating {name}")
            code = self._wait_for_end(process)
            if code != 0:
                log = self._log_of_migration(name)
                raise CannotRun(f"{name} could not be migrated: {last_line(log)} (log: {log})")

    def _wait_for_end(self, process: processes.Process) -> int | None:
        """Return the exit code; one that stands still is killed, and has none."""
        patience = Patience(process.pid)
        try:
            while patience.lasts():
                with suppress(TimeoutExpired):
                    return process.wait(PAUSE_S_MAX)
                self._progress.still()
        finally:
            processes.kill_group(process)
        return None

    def _log_of_migration(self, name: str) -> Path:
        return self.supervisor.log(f"{name} migrate")

    def _program(self, name: str, role: str) -> Program:
        return Program(f"{name} {role}", lambda log: self._run(name, role, log))

    def _run(self, name: str, role: str, log: Path) -> processes.Process:
        env = self._environment(name)
        anchor_key = self._secret("anchor-key", base64.b64encode(secrets.token_bytes(32)).decode())
        if role == "migrate":
            env["APOTHECA_OWNER_URL"] = self.owner_url(name)
        if role == "background":  # who serves requests need not be able to sign
            env["APOTHECA_ANCHORS"] = str(self.folder / "anchors" / name)
            env["APOTHECA_ANCHOR_KEY"] = anchor_key
        return self._open_nursery().spawn(name, role, env=env, log=log, on_wait=self._progress.still)

    def _environment(self, name: str) -> dict[str, str]:
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("APOTHECA_") or key.startswith("APOTHECA_COMPANY")
        }
        feed_token = self.issuer.token(f"service:{name}", ["feed"], lifetime_s=FEED_TOKEN_LIFETIME_S)
        feeds = ",".join(f"{other}={self.address(other)}" for other in SERVICES if other != name)
        own = {
            "DATABASE_URL": self.database_url(name),
            "TRANSPORT": "feed",
            "FEEDS": feeds,
            "BELLS": str(self.folder / "bells"),
            "FEED_TOKEN": feed_token,
            "JWKS": str(self.issuer.jwks),
            "HOST": "127.0.0.1",
            "PORT": str(self._ports[name]),
            "ARCHIVE": str(self.folder / "archive" / name),
        }
        if (self.folder / DEMONSTRATION).exists():
            own["IDEMPOTENCY_KEPT_DAYS"] = str(ANSWERS_KEPT_DAYS)
        if name == "customers":
            own["MASTER_KEY"] = self._secret("master-key", base64.b64encode(secrets.token_bytes(32)).decode())
        # The children are local to this machine: no proxy stands between them.
        local = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "PYTHONUNBUFFERED": "1"}
        return {**inherited, **local, **{f"APOTHECA_{key}": value for key, value in own.items()}}

    def _secret(self, name: str, made: str | None = None) -> str:
        """Return the secret kept under `name`, made at first use."""
        path = self.folder / "secrets" / name
        if not path.exists():
            secret_files.write_whole(path, made or secrets.token_urlsafe(24), mode=0o600)
        return path.read_text().strip()

    def _wait_until_ready(self, name: str) -> None:
        self._progress.begin(f"waiting until {name} answers")
        patience = Patience(self.supervisor.pids()[f"{name} web"])
        pause, pause_s = Event(), 0.05
        while patience.lasts():
            if dead := self.supervisor.dead():
                raise CannotRun(
                    f"{dead} did not start: {self.supervisor.last_words(dead)} (log: {self.supervisor.log(dead)})"
                )
            if _answers(f"{self.address(name)}/readyz"):
                return
            self._progress.still()
            pause.wait(pause_s)
            pause_s = min(pause_s * 1.5, PAUSE_S_MAX)
        raise CannotRun(
            f"{name} was not ready after {patience.waited_s:.0f} s and stands still; its log is {self.supervisor.log(f'{name} web')}"
        )


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=ANSWER_WITHIN_S) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
