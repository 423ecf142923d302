"""Starts the services' processes by forking one that has imported everything already.

Ten processes that each import the same packages keep two cores busy for twenty seconds; forked, they start at
once and share the memory. Nothing is opened before the fork: no connection, no thread, no random state.

As a program (`python -m apotheca.nursery`) it reads one JSON object per line. `{"id", "package", "role", "env", "log"}`
asks for a child and is answered by `{"id", "born": pid}`, and by `{"id", "died": exit code}` when it has ended.
`{"id", "signal"}` is for that child and no other: who has not been reaped keeps its pid. SIGKILL goes to all its group.
Every answer carries the id of its request, so a late one is never taken for another's.
It ends when its input does, after its children: they are asked, and killed after END_WITHIN_S. Killed itself, the
kernel asks them.
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
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import monotonic
from typing import IO, Any

from apotheca import processes
from apotheca.patience import STILL_S, Patience
from shared import run

END_WITHIN_S = 10.0
LOOK_EVERY_S = 0.2
PR_SET_NAME = 15


class Nursery:
    """The supervisor's end: `spawn` children, each with what Popen has of use to the supervisor."""

    def __init__(self, log: IO[bytes]) -> None:
        self._process = processes.spawn_with_pipes([sys.executable, "-m", "apotheca.nursery"], log=log)
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._ids = count(1)
        self._born: dict[int, int] = {}
        self._codes: dict[int, int] = {}
        self._abandoned: set[int] = set()
        self.is_open = True
        threading.Thread(target=self._listen, name="nursery", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def spawn(
        self,
        package: str,
        role: str,
        *,
        env: Mapping[str, str],
        log: Path,
        still_s: float = STILL_S,
        on_wait: Callable[[], None] = lambda: None,
    ) -> Child:
        """Start `shared.run <package> <role>`, or the job of a role `job:<name>`; `on_wait` is called while it is not born.

        Raises ChildProcessError when the nursery is gone or has stood still for `still_s`. A birth after that, or
        after an interruption, is ended at once.
        """
        identity = next(self._ids)
        patience = Patience(self.pid, still_s=still_s)
        try:
            self._send({"id": identity, "package": package, "role": role, "env": dict(env), "log": str(log)})
            while not self._is_answered(identity):
                on_wait()
                if not patience.lasts():
                    break
        except BaseException:
            self._abandon(identity)
            raise
        with self._changed:
            pid = self._born.get(identity)
        if pid is None:
            self._abandon(identity)
            what = f"has stood still for {still_s:.0f} s" if self.is_open else "is gone"
            raise ChildProcessError(f"the process that starts the others {what}")
        return Child(self, identity, pid)

    def signal(self, identity: int, number: signal.Signals) -> None:
        """Signal that child, unless it has ended."""
        with suppress(ChildProcessError):
            self._send({"id": identity, "signal": int(number)})

    def close(self) -> None:
        """End it and whatever it still has running."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        processes.stop(self._process, first=signal.SIGCONT, within_s=END_WITHIN_S + 5)

    def code_of(self, identity: int, *, within_s: float | None = 0) -> int | None:
        """Return the exit code of a child, or None if it runs on after `within_s` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: identity in self._codes or not self.is_open, within_s)
            return self._codes.get(identity, None if self.is_open else -signal.SIGTERM)

    def _is_answered(self, identity: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: identity in self._born or not self.is_open, LOOK_EVERY_S)

    def _abandon(self, identity: int) -> None:
        with self._changed:
            self._abandoned.add(identity)
            is_born = identity in self._born
        if is_born:
            self.signal(identity, signal.SIGKILL)

    def _send(self, said: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with self._sending:
            try:
                self._process.stdin.write(json.dumps(said).encode() + b"\n")
                self._process.stdin.flush()
            except (OSError, ValueError) as gone:
                raise ChildProcessError("the process that starts the others is gone") from gone

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            identity = said["id"]
            with self._changed:
                if "born" in said:
                    self._born[identity] = said["born"]
                else:
                    self._codes[identity] = said["died"]
                is_late = "born" in said and identity in self._abandoned
                self._changed.notify_all()
            if is_late:
                self.signal(identity, signal.SIGKILL)
        with self._changed:
            self.is_open = False
            self._changed.notify_all()


class Child:
    """A process of the nursery, as the supervisor sees processes."""

    def __init__(self, nursery: Nursery, identity: int, pid: int) -> None:
        self._nursery = nursery
        self._identity = identity
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.code_of(self._identity)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        self.returncode = self._nursery.code_of(self._identity, within_s=timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Nothing when it has ended, told or not; SIGKILL ends its whole group."""
        if self.poll() is None:
            self._nursery.signal(self._identity, number)


def main() -> int:
    """Be the nursery."""
    answers = os.dup(1)
    os.dup2(2, 1)  # a stray print must not enter the answers
    _import_all()
    gc.collect()
    gc.freeze()
    processes.tie_to_parent(None)  # from here on the end of the input tells, and leaves time for the children
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended, wakes = os.pipe()
    for end in (ended, wakes):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    children: dict[int, int] = {}
    pending = b""
    while True:
        _reap(children, answers)
        ready = select.select([0, ended], [], [])[0]
        if ended in ready:
            with suppress(BlockingIOError):
                os.read(ended, 1 << 16)
        if 0 not in ready:
            continue
        read = os.read(0, 1 << 16)
        if not read:
            _end(children, answers)
            return 0
        *lines, pending = (pending + read).split(b"\n")
        for line in lines:
            _do(json.loads(line), children, answers)


def _do(request: dict[str, Any], children: dict[int, int], answers: int) -> None:
    """Fork, or signal; `children` are pids by the id of their request, those not reaped yet."""
    if "signal" not in request:
        children[request["id"]] = pid = _fork(request, answers)
        _answer(answers, {"id": request["id"], "born": pid})
    elif request["id"] in children:
        _signal(children[request["id"]], request["signal"])


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        if number == signal.SIGKILL:
            with suppress(ProcessLookupError):  # not yet a group of its own
                os.killpg(pid, number)
        os.kill(pid, number)


def _end(children: dict[int, int], answers: int) -> None:
    """End all children, at the latest after END_WITHIN_S."""
    deadline = monotonic() + END_WITHIN_S
    for pid in children.values():
        _signal(pid, signal.SIGTERM)
    while children and monotonic() < deadline:
        select.select([], [], [], 0.05)
        _reap(children, answers)
    for pid in children.values():
        _signal(pid, signal.SIGKILL)


def _import_all() -> None:
    import gunicorn.app.base  # noqa: F401

    from shared import consuming, migrations, relay, scheduler, service, settings, web, web_worker  # noqa: F401

    for name in settings.SERVICES:
        service.load(name)


def _answer(answers: int, said: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):  # nobody is left to hear it
        os.write(answers, json.dumps(said).encode() + b"\n")


def _reap(children: dict[int, int], answers: int) -> None:
    for identity, pid in list(children.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            del children[identity]
            _answer(answers, {"id": identity, "died": os.waitstatus_to_exitcode(status)})


def _fork(request: dict[str, Any], answers: int) -> int:
    nursery = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.close(answers)
        _settle(request, nursery)
        code = _work(request["package"], request["role"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  the log is the only place left to say it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _work(package: str, role: str) -> int:
    """A role of shared.run, or `job:<name>`: what time demands, done now, as an operator does it."""
    kind, _, name = role.partition(":")
    if kind != "job":
        return run.main([package, role])
    from shared import ops

    return ops.main(["--actor", "demo", package, "jobs", "run", name])


def _settle(request: dict[str, Any], nursery: int) -> None:
    """Make a process of its own out of the copy: session, log, environment, name, end with the nursery."""
    os.setsid()
    processes.tie_to_parent(signal.SIGTERM, nursery)
    ctypes.CDLL(None).prctl(PR_SET_NAME, f"{request['package'][:8]} {request['role']}".encode())
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
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
