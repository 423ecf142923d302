"""The answer on its way to a client that may read slowly: what the socket does not take now waits in a file.

It stands in the place of the socket in gunicorn's `Response`, so the thread that makes an answer never waits for
the one who reads it; the web worker's loop sends the rest. An answer beyond WAITING_BYTES_MAX is cut off. The head of an
answer leaves with what follows it, in one piece: each piece wakes its reader.
"""

import socket
import tempfile

HEAD_BYTES_MAX = 16_384
WAITING_BYTES_MAX = 1_073_741_824
WAITING_IN_MEMORY_BYTES_MAX = 1_048_576
SEND_BYTES = 262_144


class Outgoing:
    def __init__(self, sock: socket.socket) -> None:
        """The socket does not block."""
        self._sock = sock
        self._waiting: tempfile.SpooledTemporaryFile[bytes] | None = None
        self._waiting_bytes = 0
        self._part = memoryview(b"")
        self._head = b""
        self.sent_bytes = 0
        self.has_begun = False

    @property
    def has_more(self) -> bool:
        return bool(self._part) or self._waiting_bytes > 0

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def sendall(self, data: bytes) -> None:
        """Take all of it, now or for later. Raises ConnectionAbortedError beyond WAITING_BYTES_MAX; OSError of the socket."""
        if not self.has_begun and len(data) <= HEAD_BYTES_MAX:
            self.has_begun = True
            self._head = data
            return
        self.has_begun = True
        data, self._head = self._head + data, b""
        taken = 0 if self.has_more else self._try(data)
        if taken == len(data):
            return
        if self._waiting is None:
            self._waiting = tempfile.SpooledTemporaryFile(WAITING_IN_MEMORY_BYTES_MAX)  # noqa: SIM115 - see close
        self._waiting_bytes += self._waiting.write(data[taken:])
        if self._waiting_bytes > WAITING_BYTES_MAX:
            raise ConnectionAbortedError("the answer is not read")

    def rewind(self) -> None:
        """The answer is complete: from here on only `flush`."""
        if self._waiting is not None:
            self._waiting.seek(0)
        if self._head:
            self._part, self._head = memoryview(self._head), b""

    def flush(self) -> None:
        """Send what the socket takes now. Raises OSError of the socket."""
        while self.has_more:
            if not self._part and self._waiting is not None:
                self._part = memoryview(self._waiting.read(SEND_BYTES))
                self._waiting_bytes -= len(self._part)
            taken = self._try(self._part)
            self._part = self._part[taken:]
            if self._part:
                return

    def close(self) -> None:
        if self._waiting is not None:
            self._waiting.close()

    def _try(self, data: bytes | memoryview) -> int:
        try:
            taken = self._sock.send(data)
        except BlockingIOError:
            return 0
        self.sent_bytes += taken
        return taken
