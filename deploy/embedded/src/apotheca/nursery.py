"""Starts the services' processes by forking one that has imported everything already.

Ten processes that each import the same packages keep two cores busy for twenty seconds; forked, they start at
once and share the memory. Nothing is opened before the fork: no connection, no thread, no random state.

As a program (`python -m apotheca.nursery`) it reads one JSON object per line, `{"package", "role", "env", "log"}`,
and answers `{"born": pid}` in the same order, and `{"died": pid, "code": exit code}` whenever a child ended.
It ends, and the kernel ends its children, when its input does.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any

from apotheca import processes
from shared import run

REAP_EVERY_S = 0.1
BORN_WITHIN_S = 60
PR_SET_NAME = 15


class Nursery:
    """The supervisor's end: `spawn` children, each with what Popen has of use to the supervisor."""

    def __init__(self, log: IO[bytes]) -> None:
        self._process = processes.spawn_with_pipes([sys.executable, "-m", "apotheca.nursery"], log=log)
        self._changed = threading.Condition()
        self._codes: dict[int, int] = {}
        self._born: Queue[int] = Queue()
        self._is_open = True
        threading.Thread(target=self._listen, name="nursery", daemon=True).start()

    def spawn(self, package: str, role: str, *, env: Mapping[str, str], log: Path) -> Child:
        """Start `shared.run <package> <role>`. Raises OSError when the nursery is gone."""
        request = {"package": package, "role": role, "env": dict(env), "log": str(log)}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            return Child(self, self._born.get(timeout=BORN_WITHIN_S))
        except (Empty, ValueError) as gone:
            raise ChildProcessError("the process that starts the others is gone") from gone

    def close(self) -> None:
        """End it; whatever it still had running gets SIGTERM."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        processes.stop(self._process, within_s=5)

    def code_of(self, pid: int, *, within_s: float | None = 0) -> int | None:
        """Return the exit code of a child, or None if it runs on after `within_s` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: pid in self._codes or not self._is_open, within_s)
            return self._codes.get(pid, None if self._is_open else -signal.SIGTERM)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "born" in said:
                self._born.put(said["born"])
                continue
            with self._changed:
                self._codes[said["died"]] = said["code"]
                self._changed.notify_all()
        with self._changed:
            self._is_open = False
            self._changed.notify_all()


class Child:
    """A process of the nursery, as the supervisor sees processes."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.code_of(self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        self.returncode = self._nursery.code_of(self.pid, within_s=timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Nothing when it has ended, told or not: the nursery knows of a death a moment before we do."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def main() -> int:
    """Be the nursery."""
    answers = os.dup(1)
    os.dup2(2, 1)  # a stray print must not enter the answers
    _import_all()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pending = b""
    while True:
        _reap(answers)
        if not select.select([0], [], [], REAP_EVERY_S)[0]:
            continue
        read = os.read(0, 1 << 16)
        if not read:
            return 0
        *lines, pending = (pending + read).split(b"\n")
        for line in lines:
            _answer(answers, {"born": _fork(json.loads(line), answers)})


def _import_all() -> None:
    import gunicorn.app.base  # noqa: F401

    from shared import consuming, migrations, relay, scheduler, service, settings, web, web_worker  # noqa: F401

    for name in settings.SERVICES:
        service.load(name)


def _answer(answers: int, said: dict[str, Any]) -> None:
    os.write(answers, json.dumps(said).encode() + b"\n")


def _reap(answers: int) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _answer(answers, {"died": pid, "code": os.waitstatus_to_exitcode(status)})


def _fork(request: dict[str, Any], answers: int) -> int:
    nursery = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.close(answers)
        _settle(request, nursery)
        code = run.main([request["package"], request["role"]])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  the log is the only place left to say it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _settle(request: dict[str, Any], nursery: int) -> None:
    """Make a process of its own out of the copy: session, log, environment, name, end with the nursery."""
    os.setsid()
    libc = ctypes.CDLL(None)
    libc.prctl(processes.PR_SET_PDEATHSIG, signal.SIGTERM)
    libc.prctl(PR_SET_NAME, f"{request['package'][:8]} {request['role']}".encode())
    if os.getppid() != nursery:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(request["env"])


if __name__ == "__main__":
    sys.exit(main())
