"""Bells between the services of one machine: a producer's relay tells the readers of its feed that there is more.

A bell is a FIFO of its reader's name in a folder that all share. Who rings writes the producer's name into it and
never waits: a bell that nobody hears, or that is full of rings, stays as it is. Readers look by themselves now and
then all the same, so a lost ring delays and loses nothing. Across machines there are no bells.
"""

import os
import select
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

MODE = 0o600
PIPE_BYTES = 1 << 16


class Bell:
    """The reader's end. One reader at a time."""

    def __init__(self, folder: Path, owner: str) -> None:
        path = folder / owner
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.mkfifo(path, MODE)
        # Open for writing too: a FIFO whose last writer has gone would be at its end for ever.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def wait(self, timeout_s: float) -> set[str]:
        """Return who rang, at the latest after `timeout_s` with nobody."""
        if not select.select([self._pipe], [], [], timeout_s)[0]:
            return set()
        return set(os.read(self._pipe, PIPE_BYTES).decode().split())

    def close(self) -> None:
        os.close(self._pipe)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def ring(folder: Path, source: str) -> None:
    """Tell every reader in `folder` that `source` has more events; never waits, never fails."""
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            with suppress(OSError):  # nobody reads it, or it is full of rings
                pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                try:
                    os.write(pipe, f"{source}\n".encode())
                finally:
                    os.close(pipe)
