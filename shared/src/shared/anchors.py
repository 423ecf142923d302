"""Heads of hash chains outside the database: signed lines in files that only grow.

Who owns the tables can rewrite rows, log, chain and heads alike; what was written down here before shows it. One file
a month, `<service>-anchors-2026-11.jsonl`, one JSON object a line:

    at         instant of writing, UTC, six digits
    format     "apotheca-anchor/1"
    heads      [chain, stream, last number, hash in hex] of each head that moved since the line before; of all heads
               in the first line of a file
    no         1, 2, … over all files of the service
    previous   SHA-256 of the line before, without its line feed, in hex; 64 zeros before the first of all
    service    whose heads
    signature  Ed25519 over the line without this member, in hex

A line is written as `json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)` in UTF-8, and forced
to the disk before anybody rests on it. A line without a line feed was torn by a crash: nobody rested on it, and it is
cut off. docs/verification.md gives the recipe for programs outside.
"""

import base64
import binascii
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

FORMAT = "apotheca-anchor/1"
FIRST = "0" * 64
LINE_BYTES_MAX = 4 * 1024 * 1024
"""Some 30,000 heads: a thousand years of months."""
SEED_BYTES = 32

log = structlog.get_logger(__name__)

Stream = tuple[str, str]
"""Chain and stream."""
Point = tuple[int, str]
"""Number and hash in hex."""
Heads = Mapping[Stream, Point]


class KeyFaulty(ValueError):
    """The key is neither a PEM of an Ed25519 private key nor the base64 of 32 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as it stands in a file. `digest` is the SHA-256 of its bytes, in hex."""

    file: str
    row: int
    no: int
    at: str
    digest: str
    heads: Sequence[tuple[str, str, int, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """What is wrong with one line: in which file, its row from 1 (0: the file), in words."""

    file: str
    row: int
    what: str


def key_of(value: str) -> Ed25519PrivateKey:
    """The key of a PEM or of a base64 seed of 32 bytes. Raises KeyFaulty."""
    try:
        if value.lstrip().startswith("-----BEGIN"):
            key = load_pem_private_key(value.encode(), None)
            if isinstance(key, Ed25519PrivateKey):
                return key
        else:
            seed = base64.b64decode(value, validate=True)
            if len(seed) == SEED_BYTES:
                return Ed25519PrivateKey.from_private_bytes(seed)
    except (ValueError, TypeError, binascii.Error) as error:
        raise KeyFaulty("cannot be read") from error
    raise KeyFaulty("is of another kind")


def pem_of(public: Ed25519PublicKey) -> str:
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def canonical(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def files_of(folder: Path, service: str) -> list[Path]:
    """The files of a service, oldest month first. Raises OSError when the folder cannot be read."""
    name = re.compile(rf"{re.escape(service)}-anchors-\d{{4}}-\d\d\.jsonl")
    return sorted(path for path in folder.iterdir() if name.fullmatch(path.name))


# --- writing ---------------------------------------------------------------------------------------------


def append(
    folder: Path, service: str, key: Ed25519PrivateKey, at: datetime, heads: Heads, last: Point
) -> Point | None:
    """Write a line when heads moved since the last one; returns its number and digest, None when none was due.

    `last` is the number and digest of the line that the caller knows as last, (0, FIRST) for none: where files end
    before it, the new line still follows it, so that what was cut off stays visible. One writer at a time by a lock
    on the folder. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    holder = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        _publish(folder, service, key)
        files = files_of(folder, service)
        if files:
            _cut_torn_line(files[-1])
        found = _last_of(files)
        known = dict(_latest(files[-1:])) if files else {}
        number, digest = found if found[0] > last[0] else last
        path = folder / f"{service}-anchors-{at:%Y-%m}.jsonl"
        if files and files[-1].name > path.name:  # a clock was set back: months stay in order
            path = files[-1]
        is_first = path not in files
        moved = {stream: point for stream, point in heads.items() if is_first or known.get(stream) != point}
        if not moved:
            return None
        line = _signed(service, key, at, moved, number + 1, digest)
        _write(path, line)
        if is_first:
            os.fsync(holder)  # the name of the file, too
        return number + 1, hashlib.sha256(line).hexdigest()
    finally:
        os.close(holder)


def _signed(
    service: str, key: Ed25519PrivateKey, at: datetime, heads: Heads, no: int, previous: str
) -> bytes:
    members: dict[str, Any] = {
        "format": FORMAT,
        "service": service,
        "no": no,
        "at": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z",
        "previous": previous,
        "heads": [[*stream, *heads[stream]] for stream in sorted(heads)],
    }
    return canonical(members | {"signature": key.sign(canonical(members)).hex()})


def _write(path: Path, line: bytes) -> None:
    with path.open("ab") as file:
        start = file.tell()
        try:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.truncate(path, start)
            raise


def _publish(folder: Path, service: str, key: Ed25519PrivateKey) -> None:
    path, pem = folder / f"{service}-anchors.pub", pem_of(key.public_key())
    if not path.exists():
        path.write_text(pem)


def _cut_torn_line(path: Path) -> None:
    with path.open("r+b") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
            os.fsync(file.fileno())
            log.warning("anchor_torn_line_cut", file=path.name, bytes=len(content) - whole)


def _last_of(files: Sequence[Path]) -> Point:
    """Number and digest of the last line that can be read, (0, FIRST) for none."""
    for path in reversed(files):
        last: Point | None = None
        for _, line in _rows(path):
            members = _members(line)
            if members is not None:
                last = members["no"], hashlib.sha256(line).hexdigest()
        if last is not None:
            return last
    return 0, FIRST


def _latest(files: Sequence[Path]) -> Iterator[tuple[Stream, Point]]:
    for path in files:
        for _, line in _rows(path):
            for chain, stream, no, digest in (_members(line) or {"heads": []})["heads"]:
                yield (chain, stream), (no, digest)


# --- reading ---------------------------------------------------------------------------------------------


def read(
    folder: Path, service: str, public: Ed25519PublicKey, last: Point = (0, FIRST)
) -> tuple[list[Line], list[LineFault]]:
    """Every sound line, and what is wrong with the others and between them.

    `last` is the number and digest of a line that must be there. Raises OSError when the folder cannot be read.
    """
    lines: list[Line] = []
    faults: list[LineFault] = []
    no, previous = 0, FIRST
    files = files_of(folder, service)
    for path in files:
        if path.stat().st_size == 0:
            faults.append(LineFault(file=path.name, row=0, what="missing: the file is empty"))
        for row, raw in _rows(path):
            what, members = _judge(path, service, public, raw, no + 1, previous)
            if what:
                faults.append(LineFault(file=path.name, row=row, what=what))
            previous = hashlib.sha256(raw).hexdigest()
            no = members["no"] if members else no + 1
            if members and (not what or not what.startswith("altered")):
                heads = [(chain, stream, at, head) for chain, stream, at, head in members["heads"]]
                lines.append(
                    Line(file=path.name, row=row, no=no, at=members["at"], digest=previous, heads=heads)
                )
    name = files[-1].name if files else f"{service}-anchors-*.jsonl"
    if no < last[0]:
        what = f"missing: the files end at line {no}, and line {last[0]} was written"
        faults.append(LineFault(file=name, row=0, what=what))
    elif last[0] and not any((each.no, each.digest) == last for each in lines):
        what = f"altered: line {last[0]} is not the one that was written"
        faults.append(LineFault(file=name, row=0, what=what))
    return lines, faults


def _judge(
    path: Path, service: str, public: Ed25519PublicKey, raw: bytes, no: int, previous: str
) -> tuple[str | None, dict[str, Any] | None]:
    """What is wrong with a line in this place, None when nothing is; and its members, None when it has none."""
    members = _members(raw)
    if members is None:
        return "altered: it is no line of an anchor", None
    what = None
    if not _is_signed(members, public):
        what = "altered: its signature is not of this key over this line"
    elif canonical(members) != raw:
        what = "altered: it is not written as it was signed"
    elif members["service"] != service:
        what = f"altered: it is an anchor of {members['service']}"
    elif members["no"] > no:
        what = f"missing: lines before it, it is number {members['no']} and {no} should follow"
    elif members["no"] < no:
        what = f"reordered: it is number {members['no']} and {no} should follow"
    elif members["previous"] != previous:
        what = "broken: the line before it is not the one that it followed"
    elif members["at"][:7] < path.stem[-7:]:
        what = f"reordered: it is of {members['at'][:7]}"
    return what, members


def _is_signed(members: Mapping[str, Any], public: Ed25519PublicKey) -> bool:
    unsigned = {name: value for name, value in members.items() if name != "signature"}
    try:
        public.verify(bytes.fromhex(members["signature"]), canonical(unsigned))
    except (InvalidSignature, ValueError):
        return False
    return True


def _members(raw: bytes) -> dict[str, Any] | None:
    """The members of a line that has the shape of one."""
    try:
        found = json.loads(raw)
        for chain, stream, no, digest in found["heads"]:
            if not (type(chain) is type(stream) is type(digest) is str and type(no) is int):
                return None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    texts = (found.get(name) for name in ("at", "previous", "service", "signature"))
    is_one = all(type(each) is str for each in texts) and type(found.get("no")) is int
    return found if is_one and found.get("format") == FORMAT else None


def _rows(path: Path) -> Iterator[tuple[int, bytes]]:
    """Row number and bytes of each whole line; a torn one at the end is none."""
    with path.open("rb") as file:
        row = 0
        while raw := _line(file):
            row += 1
            if raw.endswith(b"\n"):
                yield row, raw[:-1]


def _line(file: IO[bytes]) -> bytes:
    return file.readline(LINE_BYTES_MAX)
