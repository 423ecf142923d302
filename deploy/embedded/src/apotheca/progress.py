"""One line for each step of the start: which of how many, what, and how long it took."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

STILL_EVERY_S = 10.0


def _nowhere(_text: str) -> None:
    """Say nothing."""


class Progress:
    """`begin` a step, tell that it goes on (`still`), `end` the last. `write` gets pieces of lines."""

    def __init__(self, total: int, write: Callable[[str], None] = _nowhere) -> None:
        self._total = total
        self._write = write
        self._number = 0
        self._begun_at: float | None = None
        self._told_at = 0.0

    def begin(self, what: str) -> None:
        self.end()
        self._number += 1
        self._begun_at = self._told_at = monotonic()
        self._write(f"[{self._number:>2}/{self._total}] {what:<44}")

    def still(self) -> None:
        """Say every STILL_EVERY_S seconds how long the step has taken so far."""
        now = monotonic()
        if self._begun_at is not None and now - self._told_at >= STILL_EVERY_S:
            self._told_at = now
            self._write(f" {now - self._begun_at:.0f} s …")

    def end(self) -> None:
        if self._begun_at is not None:
            self._write(f"{monotonic() - self._begun_at:6.1f} s\n")
            self._begun_at = None

    def break_off(self) -> None:
        """End the line of a step that did not come to its end."""
        if self._begun_at is not None:
            self._write("\n")
            self._begun_at = None
