"""The gunicorn worker of the web process: requests are received and answers are sent by one loop, threads only work.

gunicorn's threaded worker gives a thread to whoever connects and lets it wait for the client: nine clients that send
a byte now and then stop it. This one reads heads and bodies without waiting and gives a request to a thread when it
is whole. Promises:

- a head has HEAD_S_MAX to arrive; a body GRACE_S plus one second per BODY_BYTES_PER_S_MIN bytes received, ordinary
  ones at most BODY_S_MAX, uploads UPLOAD_S_MAX; then 408. An answer is read as fast, or the connection ends.
- a body that has not come with its head is read only after the application admitted the request by its head alone
  (shared.admission): token, roles, length, uploads of this actor at once. A refusal reads no body: it says
  `Connection: close`, and what still comes is dropped for LINGER_S_MAX and LINGER_BYTES_MAX at most.
- a caller takes at most half of the threads: a verified actor, whatever tokens it has; of the rest each client address
  (shared.callers), whatever it presents, takes one, so that a burst from one address costs others half of a core at most. A token that was not verified lately is verified by the application
  first, as for a body to come, so that no request gets a thread before it is known whose it is. Admissions and uploads
  have threads of their own (shared.lanes), so that a flood of either leaves the others theirs.
- open connections are bounded, and bodies that arrive slowly too, also of one actor; when all connections are taken
  the one that waited longest goes.
- SIGTERM: /readyz says 503 for `drain_s` while requests are taken as ever; then what waits to be accepted is
  accepted, what was received is answered, and the process ends within gunicorn's graceful_timeout.

HTTP/1 without TLS: that is the gateway's.
"""

import errno
import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import structlog
from gunicorn.workers.gthread import ThreadWorker

from shared import callers
from shared.admission import (
    BODIES_MAX,
    BODIES_PER_ACTOR_MAX,
    ENVIRON_KEY,
    UPLOADS_MAX,
    UPLOADS_PER_ACTOR_MAX,
    Admission,
    Slots,
)
from shared.lanes import Lane
from shared.outgoing import Outgoing
from shared.reception import Incoming
from shared.web_connection import Connection, received, refused
from shared.web_exchange import begin, finish, tell_fault

HEAD_S_MAX = 10
PATIENCE_S = 0.25
"""How long a short body may follow its head before the application is asked about the head alone."""
GRACE_S = 10
BODY_BYTES_PER_S_MIN = 8_192
BODY_S_MAX = 30
UPLOAD_S_MAX = 900
ANSWER_BYTES_PER_S_MIN = 8_192
LINGER_S_MAX = 2
LINGER_BYTES_MAX = 33_554_432
STOPPING_KEEPALIVE_S = 1
SWEEP_EVERY_S = 1.0
STOPPING_TURN_S = 0.1
ACCEPTED_AT_ONCE_MAX = 64
UPLOAD_THREADS = 2
ADMISSION_THREADS = 2
"""One caller has one of them: who waits for keys of the issuer keeps no other waiting."""
FRAMING_BYTES_MAX = 1_048_576
"""What chunks may add to a body."""

log = structlog.get_logger()

KEEP, CLOSE, ADMITTED = "keep", "close", "admitted"
"""What a thread says about a connection when its job is done."""


class WebWorker(ThreadWorker):  # type: ignore[misc]
    """See the module. The loop's thread alone touches `watched`, the lanes and the poller."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.watched: dict[Connection, None] = {}  # ordered: silent longest first
        self.arriving = Slots(per_actor_max=BODIES_PER_ACTOR_MAX, together_max=BODIES_MAX)
        self.uploading = Slots(per_actor_max=UPLOADS_PER_ACTOR_MAX, together_max=UPLOADS_MAX)
        self.drain_s = 0
        self.draining_until: float | None = None
        self.swept_at = 0.0

    def init_process(self) -> None:
        half = max(1, self.cfg.threads // 2)
        self.requests = Lane("request", threads=self.cfg.threads, per_caller_max=half, per_stranger_max=1)
        self.admissions = Lane("admission", threads=ADMISSION_THREADS, per_caller_max=1)
        self.uploads = Lane("upload", threads=UPLOAD_THREADS, per_caller_max=1)
        super().init_process()

    def get_thread_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1)  # the base class wants one and never uses it: ours are in the lanes

    # --- life -----------------------------------------------------------------------------------------

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self.draining_until is None:
            if self.booted:
                self.drain_s = self.wsgi.extensions["settings"].drain_s
                self.wsgi.extensions["is_draining"] = True
            self.draining_until = time.monotonic() + self.drain_s
            self.method_queue.defer(lambda: None)  # wakes the loop

    def run(self) -> None:
        self.poller.register(
            self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks
        )
        self.set_accept_enabled(True)
        while self.is_parent_alive():
            self.notify()
            if self.draining_until is not None and time.monotonic() >= self.draining_until:
                break
            self._turn()
        self.alive = False
        self._stop()

    def _stop(self) -> None:
        for listener in self.sockets:
            for _ in range(self.cfg.backlog // ACCEPTED_AT_ONCE_MAX):
                self.accept(listener)
        self.set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()  # from here on callers are refused at once instead of waiting for nobody
        soon = time.monotonic() + STOPPING_KEEPALIVE_S
        for conn in self.watched:
            if conn.incoming.is_empty:
                conn.deadline = min(conn.deadline, soon)
        until = time.monotonic() + max(1, self.cfg.graceful_timeout - self.drain_s - 1)
        while self.nr_conns > 0 and time.monotonic() < until:
            self.notify()
            self._turn()
        for lane in (self.requests, self.admissions, self.uploads):
            lane.close()
        for conn in list(self.watched):
            self._drop(conn)
        self.tpool.shutdown(wait=False)
        self.poller.close()

    def _turn(self) -> None:
        self.wait_for_and_dispatch_events(SWEEP_EVERY_S if self.draining_until is None else STOPPING_TURN_S)
        now = time.monotonic()
        if now - self.swept_at >= SWEEP_EVERY_S or not self.alive:
            self.swept_at = now
            for conn in [each for each in self.watched if each.deadline <= now]:
                self._expire(conn)

    def _expire(self, conn: Connection) -> None:
        is_receiving = not (conn.incoming.is_empty or conn.incoming.is_whole or conn.dropped_bytes)
        if is_receiving and conn.incoming.has_head and conn.admission is None:
            self._unwatch(conn)
            self._ask(conn)
        elif is_receiving and not conn.outgoing.has_more:
            self._refuse(conn, 408, "request_too_slow", "the request did not arrive in time")
        else:
            self._drop(conn)

    # --- connections ----------------------------------------------------------------------------------

    def accept(self, listener: Any) -> None:
        for _ in range(ACCEPTED_AT_ONCE_MAX):
            try:
                sock, client = listener.accept()
            except OSError as error:
                if error.errno in {errno.EMFILE, errno.ENFILE}:
                    self._make_room()
                elif error.errno not in {errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK}:
                    raise
                return
            if self.nr_conns >= self.worker_connections:
                self._make_room()
            self.nr_conns += 1
            sock.setblocking(False)
            with suppress(OSError):  # already reset
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conn = Connection(sock, client, listener.getsockname())
            self._watch(conn, self._readable, HEAD_S_MAX)

    def _make_room(self) -> None:
        """Of those that no thread works for, the one watched longest goes, those whose body was admitted last."""
        unknown = (conn for conn in self.watched if conn.admission is None)
        oldest = next(unknown, None) or next(iter(self.watched), None)
        if oldest is not None:
            self._drop(oldest)

    def _watch(
        self, conn: Connection, then: Callable[[Connection], None], seconds: float, *, to_write: bool = False
    ) -> None:
        conn.deadline = time.monotonic() + seconds
        self.watched[conn] = None
        event = selectors.EVENT_WRITE if to_write else selectors.EVENT_READ

        def happened(_sock: socket.socket) -> None:
            if conn in self.watched:  # another event of the same turn may have dropped it
                then(conn)

        self.poller.register(conn.sock, event, happened)

    def _unwatch(self, conn: Connection) -> None:
        if conn in self.watched:
            del self.watched[conn]
            self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection) -> None:
        self._unwatch(conn)
        conn.request_is_over()
        conn.sock.close()
        self.nr_conns -= 1

    # --- receiving ------------------------------------------------------------------------------------

    def _readable(self, conn: Connection) -> None:
        data = received(conn)
        if not data:
            if data is not None:
                self._drop(conn)
            return
        if conn.incoming.is_empty:
            conn.deadline = time.monotonic() + HEAD_S_MAX
        self._feed(conn, data)

    def _feed(self, conn: Connection, data: bytes) -> None:
        incoming, admission = conn.incoming, conn.admission
        try:
            incoming.feed(data)
        except OSError as error:
            log.warning("body_cannot_be_kept", error=type(error).__name__)
            self._refuse(
                conn, 503, "body_cannot_be_kept", "there is no room for the body now", retry_after_s=30
            )
            return
        if incoming.is_head_too_long:
            self._refuse(conn, 431, "headers_too_large", "the head of the request is too large")
        elif incoming.is_whole:
            self._unwatch(conn)
            self._whole(conn)
        elif admission is not None:
            if incoming.body_bytes > admission.body_bytes_max + FRAMING_BYTES_MAX:
                self._refuse(conn, 413, "too_large", "the body is larger than this address takes")
            else:
                conn.deadline = _body_deadline(conn, admission)
        elif incoming.has_head and incoming.awaits_little:
            if not conn.started:
                conn.started = time.monotonic()
                conn.deadline = conn.started + PATIENCE_S
        elif incoming.has_head:
            self._unwatch(conn)
            self._ask(conn)

    # --- whose it is ----------------------------------------------------------------------------------

    def _whole(self, conn: Connection) -> None:
        """Have a whole request answered by a thread of its caller; who that is may have to be found out first."""
        if not conn.caller:
            token = callers.presented(conn.incoming.authorization, conn.incoming.cookie)
            known = self._known(token)
            if token is not None and not known:
                self._ask(conn)
                return
            conn.caller = known or self._address(conn)
        is_upload = conn.admission is not None and conn.admission.is_upload
        self._give(conn, conn.caller, self._answer, self.uploads if is_upload else self.requests)

    def _ask(self, conn: Connection) -> None:
        known = self._known(callers.presented(conn.incoming.authorization, conn.incoming.cookie))
        self._give(conn, known or self._address(conn), self._admit, self.admissions)

    def _known(self, token: str | None) -> str:
        actor = self.wsgi.extensions["verifier"].known(token) if token else None
        return callers.as_actor(actor.id) if actor else ""

    def _address(self, conn: Connection) -> str:
        peer = str(conn.client[0]) if isinstance(conn.client, tuple) else ""
        told = conn.incoming.forwarded_for.decode("latin-1")
        trusted = self.wsgi.extensions["settings"].trusted_proxies
        return callers.as_address(callers.client_address(peer, told, trusted))

    # --- working, in threads --------------------------------------------------------------------------

    def _give(self, conn: Connection, caller: str, work: Callable[[Connection], str], lane: Lane) -> None:
        def job() -> None:
            try:
                said = work(conn)
            except (OSError, StopIteration):  # the client went away, or sent nothing that could be a request
                said = CLOSE
            except Exception as error:  # noqa: BLE001 - whatever it is, the loop must get the connection back
                tell_fault(conn, error)
                said = CLOSE
            self.method_queue.defer(self._worked, lane, caller, conn, said)

        lane.add(caller, job)

    def _admit(self, conn: Connection) -> str:
        """Ask the application by the head alone; what it refuses is answered."""
        is_whole = conn.incoming.is_whole
        admission = Admission(bodies=self.arriving, uploads=self.uploading, is_whole=is_whole)
        request_bytes = conn.incoming.chunks() if is_whole else [conn.incoming.head]
        parser, answer, environ = begin(self.cfg, conn, request_bytes)
        environ[ENVIRON_KEY] = admission
        body = self.wsgi(environ, answer.start_response)
        if not admission.is_granted:
            return KEEP if finish(conn, parser, answer, body, may_keep=self.alive) else CLOSE
        conn.caller = admission.caller
        if is_whole:
            return ADMITTED
        conn.admission = admission
        if conn.incoming.expects_continue:
            conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return ADMITTED

    def _answer(self, conn: Connection) -> str:
        parser, answer, environ = begin(self.cfg, conn, conn.incoming.chunks())
        environ["wsgi.multithread"] = True
        body = self.wsgi(environ, answer.start_response)
        return KEEP if finish(conn, parser, answer, body, may_keep=self.alive) else CLOSE

    # --- answering, in the loop again -----------------------------------------------------------------

    def _worked(self, lane: Lane, caller: str, conn: Connection, said: str) -> None:
        lane.done(caller)
        if said == ADMITTED and conn.incoming.is_whole:
            self._whole(conn)
            return
        if said == ADMITTED:
            conn.started = time.monotonic()
            self._watch(conn, self._readable, GRACE_S)
            return
        conn.keeps = said == KEEP
        conn.outgoing.rewind()
        self._send(conn)

    def _send(self, conn: Connection) -> None:
        try:
            conn.outgoing.flush()
        except OSError:
            self._drop(conn)
            return
        if conn.outgoing.has_more:
            seconds = GRACE_S + conn.outgoing.sent_bytes / ANSWER_BYTES_PER_S_MIN
            if conn in self.watched:
                conn.deadline = conn.started + seconds
            else:
                conn.started = time.monotonic()
                self._watch(conn, self._send, seconds, to_write=True)
            return
        self._unwatch(conn)
        self._answered(conn)

    def _answered(self, conn: Connection) -> None:
        rest = conn.incoming.rest
        conn.request_is_over()
        if not conn.keeps:
            self._linger(conn)
            return
        conn.incoming, conn.outgoing, conn.admission = Incoming(), Outgoing(conn.sock), None
        conn.caller, conn.started = "", 0.0
        self._watch(conn, self._readable, self.cfg.keepalive if self.alive else STOPPING_KEEPALIVE_S)
        if rest:
            conn.deadline = time.monotonic() + HEAD_S_MAX
            self._feed(conn, rest)

    def _refuse(
        self, conn: Connection, status: int, code: str, detail: str, *, retry_after_s: int | None = None
    ) -> None:
        """Answer from the loop; whoever cannot take these few bytes at once goes without."""
        answer = refused(conn, status, code, detail, retry_after_s=retry_after_s)
        self._unwatch(conn)
        with suppress(OSError):
            conn.sock.send(answer)
        conn.request_is_over()
        self._linger(conn)

    def _linger(self, conn: Connection) -> None:
        """Say that no more comes, and read what is under way: closing on unread bytes would destroy our answer."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        conn.dropped_bytes = 1
        self._watch(conn, self._drop_more, LINGER_S_MAX)

    def _drop_more(self, conn: Connection) -> None:
        data = received(conn)
        if data is None:
            return
        conn.dropped_bytes += len(data)
        if not data or conn.dropped_bytes > LINGER_BYTES_MAX:
            self._drop(conn)


def _body_deadline(conn: Connection, admission: Admission) -> float:
    seconds = GRACE_S + conn.incoming.body_bytes / BODY_BYTES_PER_S_MIN
    return conn.started + min(seconds, UPLOAD_S_MAX if admission.is_upload else BODY_S_MAX)
