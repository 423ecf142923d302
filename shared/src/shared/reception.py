"""One HTTP/1 request while its bytes arrive: where its head ends, and where its body ends. No I/O, no waiting.

The web worker (shared.web_worker) feeds what the socket holds and hands a request on only when it is whole, so that
no thread ever waits for a client. Nothing is judged here: what is ambiguous counts as whole, and gunicorn's parser,
which reads the same bytes again, refuses it. Bytes behind the end of the body are the next request's.

Promises: a head is at most HEAD_BYTES_MAX; a body stays in memory up to IN_MEMORY_BYTES_MAX and goes to a temporary
file beyond; the caller bounds the length of bodies.
Source: RFC 9112 sections 5, 6 and 7
"""

import re
import tempfile
from collections.abc import Iterator
from typing import IO

HEAD_BYTES_MAX = 65_536
CHUNK_LINE_BYTES_MAX = 8_190
LENGTH_DIGITS_MAX = 18
IN_MEMORY_BYTES_MAX = 65_536
READ_BYTES = 65_536
_FIELDS = re.compile(
    rb"\r\n(content-length|transfer-encoding|expect|authorization|cookie|x-forwarded-for)[ \t]*:[ \t]*([^\r\n]*)",
    re.IGNORECASE,
)


class Incoming:
    """Feed it bytes until `is_whole`; `has_head` comes first. `body_bytes` counts the body as sent, framing included."""

    __slots__ = (
        "_after_length",
        "_buffer",
        "_chunks",
        "_spool",
        "authorization",
        "body_bytes",
        "cookie",
        "expects_continue",
        "forwarded_for",
        "head",
        "is_doubtful",
        "is_head_too_long",
        "is_whole",
        "rest",
    )

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._spool: IO[bytes] | None = None
        self._chunks: _Chunks | None = None
        self._after_length = 0
        self.head = b""
        self.body_bytes = 0
        self.is_head_too_long = False
        self.is_whole = False
        self.is_doubtful = False
        """Where the request ends can be read in more than one way, so no other may follow on this connection."""
        self.expects_continue = False
        self.rest = b""
        self.authorization = b""
        self.cookie = b""
        """Both as the application will read them: several fields of one name joined by commas."""
        self.forwarded_for = b""

    @property
    def has_head(self) -> bool:
        return bool(self.head)

    @property
    def is_empty(self) -> bool:
        return not self._buffer and not self.head

    @property
    def awaits_little(self) -> bool:
        """A short body is still to come, and by itself: many clients send it right behind the head."""
        is_short = self._chunks is None and self._after_length <= IN_MEMORY_BYTES_MAX
        return is_short and not self.is_whole and not self.expects_continue

    def feed(self, data: bytes) -> None:
        if self.head:
            self._feed_body(data)
            return
        searched = max(0, len(self._buffer) - 3)
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n", searched)
        if end < 0:
            self.is_head_too_long = len(self._buffer) > HEAD_BYTES_MAX
            return
        self.is_head_too_long = end > HEAD_BYTES_MAX
        self.head, body = bytes(self._buffer[: end + 4]), bytes(self._buffer[end + 4 :])
        self._buffer.clear()
        self._look_at_head()
        self._feed_body(body)

    def chunks(self) -> Iterator[bytes]:
        """The request as it came, for a parser; the body's file is closed when it was read."""
        yield self.head
        if self._buffer:
            yield bytes(self._buffer)
        if self._spool is not None:
            self._spool.seek(0)
            while data := self._spool.read(READ_BYTES):
                yield data

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()

    def _look_at_head(self) -> None:
        found: dict[bytes, list[bytes]] = {}
        for name, value in _FIELDS.findall(self.head):
            found.setdefault(name.lower(), []).append(value.strip())
        lengths, codings = found.get(b"content-length", []), found.get(b"transfer-encoding", [])
        if codings:
            if [each.lower() for each in codings] == [b"chunked"] and not lengths:
                self._chunks = _Chunks()
            else:
                self.is_doubtful = True
        elif len(lengths) == 1 and lengths[0].isdigit() and len(lengths[0]) <= LENGTH_DIGITS_MAX:
            self._after_length = int(lengths[0])
        else:
            self.is_doubtful = bool(lengths)
        self.expects_continue = found.get(b"expect", [b""])[0].lower() == b"100-continue"
        self.authorization = b",".join(found.get(b"authorization", []))
        self.cookie = b",".join(found.get(b"cookie", []))
        self.forwarded_for = found.get(b"x-forwarded-for", [b""])[-1].rpartition(b",")[2].strip()

    def _feed_body(self, data: bytes) -> None:
        if self.is_whole:
            self.rest += data
            return
        if self._chunks is not None:
            taken = self._chunks.take(data)
            self.is_whole = self._chunks.has_ended
            self.is_doubtful = self._chunks.is_faulty
        else:
            taken = min(len(data), self._after_length - self.body_bytes)
            self.is_whole = self.body_bytes + taken == self._after_length
        self.body_bytes += taken
        self._keep(data[:taken])
        self.rest += data[taken:]

    def _keep(self, data: bytes) -> None:
        if self._spool is None and self.body_bytes > IN_MEMORY_BYTES_MAX:
            self._spool = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the request
            self._spool.write(self._buffer)
            self._buffer.clear()
        if self._spool is None:
            self._buffer += data
        else:
            self._spool.write(data)


class _Chunks:
    """Counts its way through a chunked body; a fault ends it, and gunicorn's parser names the fault."""

    __slots__ = ("_in_trailers", "_left", "_line", "has_ended", "is_faulty")

    def __init__(self) -> None:
        self._line = b""
        self._left = 0
        self._in_trailers = False
        self.has_ended = False
        self.is_faulty = False

    def take(self, data: bytes) -> int:
        """How many of these bytes belong to the body."""
        at = 0
        while at < len(data) and not self.has_ended:
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            end = data.find(b"\n", at)
            part = data[at:] if end < 0 else data[at : end + 1]
            at += len(part)
            self._line += part
            if len(self._line) > CHUNK_LINE_BYTES_MAX:
                self.has_ended = self.is_faulty = True
            elif end >= 0:
                self._line_ended()
        return at

    def _line_ended(self) -> None:
        line, self._line = self._line.strip(), b""
        if self._in_trailers:
            self.has_ended = not line
            return
        size = line.partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]{1,15}", size):
            self.has_ended = self.is_faulty = True
        elif int(size, 16) == 0:
            self._in_trailers = True
        else:
            self._left = int(size, 16) + 2
