"""A client's connection as the web worker (shared.web_worker) sees it: what came, what goes, until when."""

import secrets
import socket
from typing import Any

import structlog

from shared.admission import Admission
from shared.outgoing import Outgoing
from shared.raw_problems import raw_problem
from shared.reception import READ_BYTES, Incoming

log = structlog.get_logger()


class Connection:
    """A client's connection. `deadline` is on the monotonic clock and counts while the loop watches the socket."""

    __slots__ = ("admission", "caller", "client", "deadline", "dropped_bytes", "incoming", "keeps", "outgoing",
                 "server", "sock", "started")  # fmt: skip

    def __init__(self, sock: socket.socket, client: Any, server: Any) -> None:
        self.sock = sock
        self.client = client
        self.server = server
        self.incoming = Incoming()
        self.outgoing = Outgoing(sock)
        self.admission: Admission | None = None
        """Of a body that came, or comes, after its head."""
        self.caller = ""
        """Whom the request counts for; empty until that is known."""
        self.keeps = False
        self.started = 0.0
        self.deadline = 0.0
        self.dropped_bytes = 0

    def request_is_over(self) -> None:
        if self.admission is not None:
            self.admission.release()
        self.incoming.close()
        self.outgoing.close()


def received(conn: Connection) -> bytes | None:
    """What the socket holds; empty at the end, None when there is nothing now."""
    try:
        return conn.sock.recv(READ_BYTES)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def refused(
    conn: Connection, status: int, code: str, detail: str, *, retry_after_s: int | None = None
) -> bytes:
    """The worker's own answer; the log has it by the same request id, with the actor that was admitted."""
    request_id = secrets.token_hex(16)
    actor = conn.admission.actor_id if conn.admission else None
    log.info("request", status=status, code=code, actor=actor, request_id=request_id)
    return raw_problem(status, code, detail, retry_after_s=retry_after_s, request_id=request_id)
