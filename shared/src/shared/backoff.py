"""How long to wait before trying again: doubling, bounded, with jitter, and never deaf to `stop`."""

import random
import threading

FIRST_S = 0.1
LONGEST_S = 5.0


class Backoff:
    """Waits 0.1 s, 0.2 s, … up to 5 s, each ± 20 %. `reset` after progress."""

    def __init__(
        self, stop: threading.Event, *, first_s: float = FIRST_S, longest_s: float = LONGEST_S
    ) -> None:
        self._stop = stop
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def wait(self) -> None:
        """Return after the wait, or at once when the process stops."""
        self._stop.wait(self._next_s * random.uniform(0.8, 1.2))
        self._next_s = min(self._next_s * 2, self._longest_s)

    def reset(self) -> None:
        self._next_s = self._first_s
