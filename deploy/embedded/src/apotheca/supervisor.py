"""Keeps the system's processes running: says when one dies, starts it again, gives up after a bound."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from apotheca import processes

RESTARTS_MAX = 5
RESTART_WINDOW_S = 300
LOG_BYTES_MAX = 10_000_000
WATCH_EVERY_S = 0.3
STOP_WITHIN_S = 12


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: `name` is for people, and names the log file; `start` is told that file."""

    name: str
    start: Callable[[Path], processes.Process]


@dataclass(slots=True)
class _Child:
    program: Program
    process: processes.Process
    restarts: deque[float] = field(default_factory=deque)


class Supervisor:
    """Start programs, watch them in a thread, stop them in reverse order."""

    def __init__(self, logs: Path, *, say: Callable[[str], None]) -> None:
        self._logs = logs
        self._say = say
        self._children: list[_Child] = []
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self.gave_up = threading.Event()

    def start(self, program: Program) -> None:
        self._children.append(_Child(program, self._spawn(program)))

    def watch(self) -> None:
        """From now on a process that dies is started again."""
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

    def dead(self) -> str | None:
        """Return the name of a process that is not running, if any."""
        return next((each.program.name for each in self._children if each.process.poll() is not None), None)

    def last_words(self, name: str) -> str:
        """Return the last line of that process's log."""
        return last_line(self.log(name))

    def log(self, name: str) -> Path:
        return self._logs / f"{name.replace(' ', '-')}.log"

    def pids(self) -> dict[str, int]:
        """Return the process id of each program by its name."""
        return {each.program.name: each.process.pid for each in self._children}

    def stop(self) -> None:
        """Stop everything: all are asked at once, whoever does not listen is killed."""
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join()
        for child in self._children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        deadline = monotonic() + STOP_WITHIN_S
        for child in reversed(self._children):
            processes.stop(child.process, within_s=max(0.1, deadline - monotonic()))
        self._children.clear()

    def _spawn(self, program: Program) -> processes.Process:
        log = self.log(program.name)
        log.touch(mode=0o600)
        shorten(log)
        return program.start(log)

    def _watch(self) -> None:
        while not self._stopping.wait(WATCH_EVERY_S):
            for child in self._children:
                shorten(self.log(child.program.name))
                if child.process.poll() is not None and not self._revive(child):
                    self.gave_up.set()
                    return

    def _revive(self, child: _Child) -> bool:
        now = monotonic()
        while child.restarts and child.restarts[0] < now - RESTART_WINDOW_S:
            child.restarts.popleft()
        name, code = child.program.name, child.process.returncode
        if len(child.restarts) >= RESTARTS_MAX:
            self._say(
                f"{name} ended again (exit code {code}) after {RESTARTS_MAX} restarts: {self.last_words(name)}"
            )
            return False
        child.restarts.append(now)
        self._say(
            f"{name} ended (exit code {code}); restart {len(child.restarts)} of {RESTARTS_MAX}; log: {self.log(name)}"
        )
        try:
            child.process = self._spawn(child.program)
        except OSError as error:
            self._say(f"{name} could not be started again: {error}")
            return False
        return True


def shorten(log: Path) -> None:
    """Move what a log above LOG_BYTES_MAX holds to `<name>.log.1`. Its writers append, so they go on undisturbed."""
    if log.stat().st_size > LOG_BYTES_MAX:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def last_line(log: Path) -> str:
    """Return the last line of `log` that is not empty."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1].strip() if lines else "it said nothing"


def say_on_terminal(sentence: str) -> None:
    """Say something that went wrong without disturbing what is printed."""
    print(f"apotheca: {sentence}", file=sys.stderr, flush=True)
