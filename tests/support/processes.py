"""Look at processes and their descendants, slow them down, see that none is left."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.eventually import eventually

CYCLE_S = 0.5


def family_of(pid: int | None = None) -> set[int]:
    """Return the ids of its children (by default of this process), and of their children."""
    pid = os.getpid() if pid is None else pid
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            if state != "Z":
                parents[int(folder.name)] = int(parent)
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def cpu_s(pid: int) -> float:
    """Return the processor seconds its threads have used, to the nanosecond; 0 when it has ended."""
    used = 0
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            used += int((task / "schedstat").read_text().split()[0])
    return used / 1e9


def pass_quietly(seconds: float) -> None:
    """Wait for the fact that nothing happens for so long."""
    end = time.monotonic() + seconds
    eventually(lambda: time.monotonic() >= end, within_s=seconds + 5, every_s=0.5)


def using(folder: Path) -> set[int]:
    """Return the processes with an open file, a working folder or an argument in `folder`."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            seen = (process / "cmdline").read_bytes().decode(errors="replace")
            seen += str((process / "cwd").readlink())
            seen += "".join(str(each.readlink()) for each in (process / "fd").iterdir())
            if str(folder) in seen and int(process.name) != os.getpid():
                found.add(int(process.name))
    return found


@contextmanager
def slowed(pid: int, share: float) -> Iterator[None]:
    """Let all descendants of `pid` run for `share` of the time only, as on a machine with many others."""
    ended = threading.Event()

    def hold() -> None:
        while not ended.is_set():
            stopped = family_of(pid)
            signal_all(stopped, signal.SIGSTOP)
            ended.wait(CYCLE_S * (1 - share))
            signal_all(stopped, signal.SIGCONT)
            ended.wait(CYCLE_S * share)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def signal_all(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
