"""One request and its answer in a thread of the web worker (shared.web_worker): begin, finish, or say that it failed."""

import time
from collections.abc import Iterable
from typing import Any

import structlog
from gunicorn.http import wsgi
from gunicorn.http.parser import RequestParser

from shared.raw_problems import refusal_of
from shared.web_connection import Connection, refused

PIECE_BYTES = 262_144
"""Of a file that is sent. Pieces of 8 KiB, the usual, keep a thread busy with bookkeeping that others wait for."""

log = structlog.get_logger()


def begin(cfg: Any, conn: Connection, request_bytes: Iterable[bytes]) -> tuple[Any, Any, dict[str, Any]]:
    """The parser of the request, its answer to be, and its WSGI environment."""
    parser = RequestParser(cfg, request_bytes, conn.client)
    req = next(parser)
    req._expected_100_continue = False  # noqa: SLF001 - `create` would answer it; that is said after admission
    answer, environ = wsgi.create(req, conn.outgoing, conn.client, conn.server, cfg)
    environ["wsgi.file_wrapper"] = lambda file, _piece_bytes=0: wsgi.FileWrapper(file, PIECE_BYTES)
    return parser, answer, environ


def finish(conn: Connection, parser: Any, answer: Any, body: Any, *, may_keep: bool) -> bool:
    """Write the answer; whether the connection can be kept for another request."""
    incoming = conn.incoming
    if not (may_keep and incoming.is_whole) or incoming.is_doubtful:
        answer.force_close()
    _write(answer, body)
    if not incoming.is_whole:
        return False
    # what the application did not read is judged too: the next request begins behind it
    return not answer.should_close() and bool(parser.finish_body(deadline=time.monotonic() + 1))


def tell_fault(conn: Connection, error: Exception) -> None:
    """Answer what the parser refused, or that something failed here, unless an answer has begun."""
    told = refusal_of(error)
    if told is None:
        log.error("unexpected_error", exc_info=error)
        told = 500, "internal", "something failed here; the request id finds it in the logs"
    answer = refused(conn, *told)
    if not conn.outgoing.has_begun:
        conn.outgoing.sendall(answer)


def _write(answer: Any, body: Any) -> None:
    try:
        for item in body:
            answer.write(item)
        answer.close()
    finally:
        if hasattr(body, "close"):
            body.close()
