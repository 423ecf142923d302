"""Months of a service's log in files: written whole or not at all, checked by whoever doubts, read from any number on.

A month is two files of one name:

- `<name>.ndjson.gz`: the events in the order of their numbers, one JSON object per line, as the feed serves them, and
  as last member of each the hash of the log up to it (shared.incarnation). Gzip members of at most BLOCK_EVENTS lines stand one behind the other, so `zcat` shows all of it and a reader
  begins in the middle.
- `<name>.manifest.json`: what the other one holds (see Manifest), written last: without it there is no archive.

Both are written beside their place, forced to the disk, and then renamed. `check` reads everything again.
"""

import gzip
import hashlib
import zlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from shared import incarnation
from shared.durable import force as _force
from shared.durable import into_place as _into_place
from shared.durable import put as _put
from shared.errors import Unavailable

FORMAT = "apotheca-log/1"
BLOCK_EVENTS = 1_000
SUFFIX = ".ndjson.gz"
MANIFEST_BYTES_MAX = 64 * 1024 * 1024
COMPRESSION = 6

_HASH_HEAD, _HASH_TAIL = b', "log_hash" : "', b'"}'
_HASH_BYTES = len(_HASH_HEAD) + 16 + len(_HASH_TAIL)
Line = tuple[int, bytes]
"""An event's number, and its JSON as the feed serves it."""


class ArchiveUnwritable(Unavailable):
    """The folder is missing, full, or not ours. Nothing was dropped."""

    code = "archive_unwritable"


class ArchiveDamaged(Unavailable):
    """A file is missing, or is not what its manifest says."""

    code = "archive_damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whose events, of which incarnation of its log, recorded in which month."""

    service: str
    epoch: int
    month: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`totals` are events and amount in fen per (day, type); `blocks` (first number, offset in bytes) of each member;
    `sha256` is that of the file as it lies there, `content_sha256` that of its lines.
    """

    format: str
    service: str
    epoch: int
    month: date
    first_seq: int
    last_seq: int
    events: int
    amount_fen: int
    totals: list[tuple[date, str, int, int]]
    file: str
    bytes: int
    sha256: str
    content_sha256: str
    blocks: list[tuple[int, int]]


class _Content:
    """What has passed by: numbers in order, how many, how much, the hash of the lines and that of the log."""

    def __init__(self) -> None:
        self.first_seq = self.last_seq = self.events = self.log_hash = 0
        self.totals: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0])
        self._hash = hashlib.sha256()

    def add(self, block: bytes) -> int:
        """Take in lines and return the number of the first. Raises ArchiveDamaged when they are out of order."""
        first = 0
        for line in block.splitlines():
            event = orjson.loads(line)
            self._follow(event)
            self.first_seq = self.first_seq or self.last_seq
            first = first or self.last_seq
            total = self.totals[date.fromisoformat(event["day"]), event["type"]]
            total[0] += 1
            total[1] += event["amount_fen"]
            self.events += 1
        self._hash.update(block)
        return first

    def _follow(self, event: Any) -> None:
        seq, log_hash = int(event["seq"]), incarnation.read(event["log_hash"])
        if seq <= self.last_seq:
            raise ArchiveDamaged(f"event {seq} comes after {self.last_seq}")
        if log_hash is None:
            raise ArchiveDamaged(f"event {seq} has no hash of the log")
        if self.last_seq == seq - 1 and log_hash != self.log_hash ^ incarnation.digest(
            seq, UUID(event["id"])
        ):
            raise ArchiveDamaged(f"event {seq} is not the one that was numbered")
        self.last_seq, self.log_hash = seq, log_hash

    def as_totals(self) -> list[tuple[date, str, int, int]]:
        return [(day, event_type, *counts) for (day, event_type), counts in sorted(self.totals.items())]  # type: ignore[misc]

    def sha256(self) -> str:
        return self._hash.hexdigest()


def write(folder: Path, name: str, about: About, blocks: Iterable[Sequence[bytes]]) -> Manifest:
    """Write the lines, which come in blocks of at most BLOCK_EVENTS, as `name`; what stood there is replaced.

    Raises ArchiveUnwritable, ArchiveDamaged when the lines are out of order.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        manifest = _write_lines(folder / f"{name}{SUFFIX}", about, blocks)
        _put(folder / f"{name}.manifest.json", orjson.dumps(asdict(manifest)))
    except OSError as fault:
        raise ArchiveUnwritable(
            f"{folder} cannot be written: {fault.strerror or type(fault).__name__}"
        ) from fault
    return manifest


def _write_lines(path: Path, about: About, blocks: Iterable[Sequence[bytes]]) -> Manifest:
    content, whole, offset = _Content(), hashlib.sha256(), 0
    index: list[tuple[int, int]] = []
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        for lines in blocks:
            block = b"\n".join(lines) + b"\n"
            index.append((content.add(block), offset))
            member = gzip.compress(block, COMPRESSION, mtime=0)
            file.write(member)
            whole.update(member)
            offset += len(member)
        _force(file.fileno())
    _into_place(part, path)
    return Manifest(
        format=FORMAT,
        service=about.service,
        epoch=about.epoch,
        month=about.month,
        first_seq=content.first_seq,
        last_seq=content.last_seq,
        events=content.events,
        amount_fen=sum(fen for *_, fen in content.as_totals()),
        totals=content.as_totals(),
        file=path.name,
        bytes=offset,
        sha256=whole.hexdigest(),
        content_sha256=content.sha256(),
        blocks=index,
    )


def manifest_of(folder: Path, name: str) -> Manifest:
    """Raises ArchiveDamaged when there is none, or one that cannot be read."""
    path = folder / f"{name}.manifest.json"
    try:
        if path.stat().st_size > MANIFEST_BYTES_MAX:
            raise ArchiveDamaged(f"{path.name} is larger than any manifest")
        found = _manifest(orjson.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, KeyError) as fault:
        raise ArchiveDamaged(f"{path.name} cannot be read: {type(fault).__name__}") from fault
    if found.format != FORMAT or found.file != f"{name}{SUFFIX}":
        raise ArchiveDamaged(f"{path.name} describes {found.file} in {found.format}")
    return found


def _manifest(read: Any) -> Manifest:
    """Raises ValueError, TypeError, KeyError when it is no manifest."""
    totals = [
        (date.fromisoformat(day), str(kind), int(events), int(fen))
        for day, kind, events, fen in read["totals"]
    ]
    blocks = [(int(first_seq), int(offset)) for first_seq, offset in read["blocks"]]
    if not blocks:
        raise ValueError("a month without events is not archived")
    month = date.fromisoformat(read["month"])
    return Manifest(**{**read, "month": month, "totals": totals, "blocks": blocks})


def check(folder: Path, name: str) -> Manifest:
    """Read both files again and compare everything the manifest says. Raises ArchiveDamaged."""
    said = manifest_of(folder, name)
    content, whole = _Content(), hashlib.sha256()
    ends = [offset for _, offset in said.blocks[1:]] + [said.bytes]
    try:
        with (folder / said.file).open("rb") as file:
            for (first_seq, offset), end in zip(said.blocks, ends, strict=True):
                member = file.read(end - offset)
                whole.update(member)
                if content.add(gzip.decompress(member)) != first_seq:
                    raise ArchiveDamaged(f"{said.file}: the block at {offset} begins elsewhere")
            rest = file.read(1)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as fault:
        raise ArchiveDamaged(f"{said.file} cannot be read: {type(fault).__name__}") from fault
    found = (whole.hexdigest(), content.sha256(), content.first_seq, content.last_seq, content.events)
    if rest or found != (said.sha256, said.content_sha256, said.first_seq, said.last_seq, said.events):
        raise ArchiveDamaged(f"{said.file} is not what was archived")
    if content.as_totals() != said.totals:
        raise ArchiveDamaged(f"{said.file}: its totals differ from the manifest's")
    return said


def lines(folder: Path, manifest: Manifest, *, after: int) -> Iterator[Line]:
    """The events numbered above `after`, in order, as the feed serves them. Raises ArchiveDamaged."""
    for seq, line in _kept(folder, manifest, after=after):
        if not line.endswith(_HASH_TAIL) or line[-_HASH_BYTES:].partition(b' : "')[0] != b', "log_hash"':
            raise ArchiveDamaged(f"{manifest.file}: event {seq} does not end with the hash of the log")
        yield seq, line[:-_HASH_BYTES] + b"}"


def log_hash_at(folder: Path, manifest: Manifest, at: int) -> int | None:
    """The hash of the log up to the event `at`, None when it is not here. Raises ArchiveDamaged."""
    for seq, line in _kept(folder, manifest, after=at - 1):
        return incarnation.read(orjson.loads(line)["log_hash"]) if seq == at else None
    return None


def _kept(folder: Path, manifest: Manifest, *, after: int) -> Iterator[Line]:
    start = max(0, bisect_right(manifest.blocks, after + 1, key=lambda block: block[0]) - 1)
    ends = [offset for _, offset in manifest.blocks[1:]] + [manifest.bytes]
    try:
        with (folder / manifest.file).open("rb") as file:
            file.seek(manifest.blocks[start][1])
            for (_, offset), end in zip(manifest.blocks[start:], ends[start:], strict=True):
                for line in gzip.decompress(file.read(end - offset)).splitlines():
                    seq = orjson.loads(line)["seq"]
                    if seq > after:
                        yield seq, line
    except (OSError, EOFError, ValueError, KeyError, zlib.error) as fault:
        raise ArchiveDamaged(f"{manifest.file} cannot be read: {type(fault).__name__}") from fault
