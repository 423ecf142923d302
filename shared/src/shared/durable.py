"""Files that are there whole or not at all, also after a power cut: written beside their place, forced, renamed."""

import os
from pathlib import Path


def force(descriptor: int) -> None:
    os.fsync(descriptor)


def into_place(part: Path, path: Path) -> None:
    """Rename, and force the folder to the disk: after a power cut the name is there, too."""
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def put(path: Path, content: bytes) -> None:
    """Write a small file; what stood there is replaced."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        force(file.fileno())
    into_place(part, path)
