"""How long to wait for a process: as long as it makes progress, however slow the machine is.

A deadline in seconds is wrong on every other machine. A process that is still starting uses whatever processor time
it gets; one that uses next to none for STILL_S stands still, and waiting for it is in vain.
"""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic

STILL_S = 60.0
PROGRESS_CPU_S = 1.0
"""Processor time within STILL_S below which a process stands still: more than an idle server needs, less than a
sixtieth of what two cores shared by sixty others give."""
AT_MOST_S = 3600.0
LOOK_EVERY_S = 1.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Patience:
    """`lasts()` until the process `pid` and its descendants have stood still for `still_s`, or for AT_MOST_S."""

    def __init__(self, pid: int, *, still_s: float = STILL_S) -> None:
        self._pid = pid
        self._still_s = still_s
        self._begun_at = self._looked_at = self._moved_at = monotonic()
        self._cpu_s = cpu_of_family(pid)

    def lasts(self) -> bool:
        now = monotonic()
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            used = cpu_of_family(self._pid)
            if used - self._cpu_s >= PROGRESS_CPU_S:
                self._cpu_s, self._moved_at = used, now
        return now - self._moved_at < self._still_s and now - self._begun_at < AT_MOST_S

    @property
    def waited_s(self) -> float:
        return monotonic() - self._begun_at


def cpu_of_family(pid: int) -> float:
    """Return the processor seconds of a process, of its descendants, and of those of them that have ended."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has ended meanwhile
            continue
        parents[int(folder.name)] = int(fields[1])
        used[int(folder.name)] = sum(map(int, fields[11:15])) / TICKS_PER_S
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(member, 0.0) for member in family)
