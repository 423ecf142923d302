"""Child processes that never outlive their parent, and the account PostgreSQL needs when we are root."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import socket
import stat
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
KILLED_WITHIN_S = 30
UNPRIVILEGED_ACCOUNTS = ("postgres", "nobody")


def spawn(
    argv: list[str],
    *,
    log: IO[bytes] | int,
    env: dict[str, str] | None = None,
    account: str | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    folder: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start `argv` with its output in `log`; the kernel sends it `death_signal` should this process die.

    More exactly, should the thread end that called this.

    The child gets its own session, so that Ctrl-C reaches it through us, in our order.
    """
    parent = os.getpid()
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=folder,
        start_new_session=True,
        **identity_of(account),
        preexec_fn=lambda: tie_to_parent(death_signal, parent),  # noqa: PLW1509  the only safe moment
    )


def tie_to_parent(death_signal: signal.Signals | None, parent: int | None = None) -> None:
    """Let the kernel send this process `death_signal` (None: nothing) when its parent dies.

    It ends at once if `parent` died before that.
    """
    LIBC.prctl(PR_SET_PDEATHSIG, death_signal or 0)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def spawn_with_pipes(argv: list[str], *, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start `argv` with its standard input and output in our hands and its errors in `log`.

    Until it says otherwise (`tie_to_parent`) the kernel ends it with this process.
    """
    parent = os.getpid()
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        start_new_session=True,
        preexec_fn=lambda: tie_to_parent(signal.SIGTERM, parent),  # noqa: PLW1509  the only safe moment
    )


def identity_of(account: str | None) -> dict[str, Any]:
    """Return Popen's arguments that run a child as `account` and in its group alone; none for None."""
    if account is None:
        return {}
    return {"user": account, "group": pwd.getpwnam(account).pw_gid, "extra_groups": []}


def account_for_postgres() -> str | None:
    """Return the account to run PostgreSQL under: None unless we are root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in UNPRIVILEGED_ACCOUNTS:
        if name in known:
            return name
    raise RuntimeError("PostgreSQL refuses to run as root and there is no account `postgres` or `nobody`")


def let_through(folder: Path, account: str) -> None:
    """Let `account` pass through every parent of `folder` (search only, not list), as root.

    Without it a checkout below /root would be out of PostgreSQL's reach.
    """
    uid = pwd.getpwnam(account).pw_uid
    for parent in folder.resolve().parents:
        state = parent.stat()
        if state.st_uid != uid and not state.st_mode & stat.S_IXOTH:
            parent.chmod(stat.S_IMODE(state.st_mode) | stat.S_IXOTH)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process(Protocol):
    """What is asked of a running child; subprocess.Popen has it."""

    pid: int
    returncode: Any

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: signal.Signals, /) -> None: ...


def stop(process: Process, *, first: signal.Signals = signal.SIGTERM, within_s: float = 10) -> None:
    """Ask `process` to stop by `first`; after `within_s` seconds kill its whole group."""
    if process.poll() is None:
        process.send_signal(first)
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired:
            kill_group(process)


def kill_group(process: Process) -> None:
    """SIGKILL `process` and everything it started in its session."""
    if isinstance(process, subprocess.Popen):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
    else:  # a child of the nursery, which alone can tell whether the pid is still its own
        process.send_signal(signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(KILLED_WITHIN_S)
