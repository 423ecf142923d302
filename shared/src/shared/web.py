"""What a view declares: who may call it, and the transaction it runs in, with idempotency for commands.

A view is written

    @blp.post("/sales")
    @command
    @admits("till", "cashier")
    @blp.arguments(SaleBody)
    @blp.response(201, SaleView)
    def post_sale(tx: Tx, body: dict[str, Any]) -> dict[str, Any]: ...

and a reading view has `@query` in the place of `@command`. Promises:

- every route names the roles it admits, or is public by `@public`; one that does neither answers 500 and a
  guard test fails;
- a command runs in one transaction that this module commits; it needs `Idempotency-Key`: the same key and
  body replays the stored answer with `Idempotency-Replayed: true`, the same key and another body is 409. Only
  successes are stored: a refusal changed nothing, so the same request may be decided anew. What is to be known of a
  refusal all the same (`Tx.when_refused`) is written after it, by itself. A command's body is JSON by the
  rules of shared.strict_json, or there is none; anything else is refused before the transaction begins;
- request id and W3C trace context come from the request (shared.app) and are put on every event.
"""

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Response, current_app, g, make_response, request
from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from werkzeug.exceptions import HTTPException

from shared import awaited, round_trip
from shared.body import json_or_nothing
from shared.clock import utc_now
from shared.database import Database
from shared.errors import Conflict, DomainError, Invalid
from shared.round_trip import Statement, bytea
from shared.transaction import Tx

KEY = re.compile(r"\A[\x21-\x7e]{1,128}\Z")
PAGE_COOKIE = "apotheca_token"

View = TypeVar("View", bound=Callable[..., Any])


class IdempotencyKeyMissing(Invalid):
    code = "idempotency_key_missing"
    cure = "Send `Idempotency-Key`: a new UUID for each intended change, the same one for each repetition."


class IdempotencyKeyReused(Conflict):
    code = "idempotency_key_reused"
    cure = "Take a new key for what is another request; a repetition is sent with the same body to the same address."


# --- what a view declares -------------------------------------------------------------------------


def admits(*roles: str) -> Callable[[View], View]:
    """Only a token holding one of these roles may call the view."""

    def mark(view: View) -> View:
        view.admitted_roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Anyone may call the view: health, metrics, documentation, sign-in pages. Never a command."""
    view.admitted_roles = None  # type: ignore[attr-defined]
    return view


def upload(view: View) -> View:
    """The view takes bodies up to `bulk_body_bytes_max`, few at once of one actor (shared.admission)."""
    view.is_upload = True  # type: ignore[attr-defined]
    return view


def rationed(*, share: int = 1) -> Callable[[View], View]:
    """The view finds people's data by something that can be guessed: each call takes 1/share of a look-up
    from what the actor and the address may do in a minute (shared.rations).
    """

    def mark(view: View) -> View:
        view.ration_share = share  # type: ignore[attr-defined]
        return view

    return mark


def page(view: View) -> View:
    """A page for people: on GET it also takes the token from the cookie that signing in set."""
    view.is_page = True  # type: ignore[attr-defined]
    return view


def command(view: Callable[..., Any]) -> Callable[..., Response]:
    """Run the view in a transaction that commits when it answers below 400; see the module's promises."""

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not KEY.fullmatch(key):
            raise IdempotencyKeyMissing(
                "send `Idempotency-Key`: 1 to 128 visible ASCII characters, one per intended change"
            )
        database: Database = current_app.extensions["database"]
        claim = _Claim(key)
        tx: Tx | None = None
        try:
            with database.begin() as conn:
                tx = _tx(conn)
                response = make_response(view(tx, *args, **kwargs))
                if response.is_streamed:
                    raise AssertionError("a command's answer is stored, so it cannot be a stream")
                claim.store(tx, response)
        except _AlreadyAnswered:
            return _replay(database, claim)
        except (DomainError, HTTPException, DBAPIError):
            # The refusal may itself come from the first run of this key ("receipt number reused").
            replayed = _find_answer(database, claim)
            if replayed is not None:
                return replayed
            if tx is not None and tx.when_refused is not None:
                with database.begin() as conn:
                    tx.when_refused(_tx(conn))
            raise
        finally:
            _note_asked(database, tx)
        if tx.has_events:
            current_app.extensions["wakeup"].ring()
        return response

    run.is_command = True  # type: ignore[attr-defined]
    return run


def query(view: Callable[..., Any]) -> Callable[..., Response]:
    """Run the view in a read-only snapshot. A view that streams must open its own connection instead."""

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        database: Database = current_app.extensions["database"]
        tx: Tx | None = None
        try:
            with database.read() as conn:
                tx = _tx(conn)
                response = make_response(view(tx, *args, **kwargs))
                assert not response.is_streamed, "a streaming view opens its own connection"
                return response
        finally:
            _note_asked(database, tx)

    return run


def _note_asked(database: Database, tx: Tx | None) -> None:
    if tx is not None and tx.asked:
        awaited.note(database, tx)


def detached(view: Callable[..., Any]) -> Callable[..., Response]:
    """Give the view a Tx factory instead of a transaction: bulk uploads and streams.

    The view receives `begin`, a function that makes a Tx over a connection the view opened.
    """

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        return make_response(view(_tx, *args, **kwargs))

    run.is_detached = True  # type: ignore[attr-defined]
    return run


def _tx(conn: Any) -> Tx:
    return Tx(conn=conn, actor=g.actor, now=utc_now(), request_id=g.request_id, traceparent=g.traceparent)


# --- idempotency ------------------------------------------------------------------------------------


class _AlreadyAnswered(Exception):
    """Another request with this key committed first."""


# A key that is there makes the statement fail, so that COMMIT, which is on its way behind it, commits nothing.
_STORE = Statement(
    "insert into idempotency_keys (key, actor, route, body_hash, status, response, created_at)"
    " values (%(key)s, %(actor)s, %(route)s, %(body_hash)s, %(status)s, %(response)s, %(now)s)"
)


class _Claim:
    def __init__(self, key: str) -> None:
        self.key = key
        self.actor = g.actor.id
        self.route = f"{request.method} {request.path}"
        self.body_hash = _body_hash()

    def store(self, tx: Tx, response: Response) -> None:
        """Store the answer and commit, in one message: two requests with one key meet here, one goes on."""
        values = {
            "key": self.key,
            "actor": self.actor,
            "route": self.route,
            "body_hash": bytea(self.body_hash),
            "status": str(response.status_code),
            "response": bytea(response.get_data()),
            "now": tx.now.isoformat(),
        }
        try:
            round_trip.run(tx.conn, [(_STORE, values)], commit=True)
        except IntegrityError as error:
            if isinstance(error.orig, UniqueViolation) and error.orig.diag.table_name == "idempotency_keys":
                raise _AlreadyAnswered from None
            raise


def _body_hash() -> bytes:
    """Of the canonical JSON, so that formatting does not matter. Refuses a body that is not JSON of our rules."""
    body = json_or_nothing()
    canonical = b"" if body is None else body.canonical
    return hashlib.sha256(request.query_string + b"\n" + canonical).digest()


def _find_answer(database: Database, claim: _Claim) -> Response | None:
    with database.begin() as conn:
        row = conn.execute(
            text(
                "select route, body_hash, status, response from idempotency_keys"
                " where key = :key and actor = :actor"
            ),
            {"key": claim.key, "actor": claim.actor},
        ).one_or_none()
    if row is None:
        return None
    if row.route != claim.route or bytes(row.body_hash) != claim.body_hash:
        raise IdempotencyKeyReused("this Idempotency-Key was used for another request")
    response = current_app.response_class(bytes(row.response), row.status, mimetype="application/json")
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _replay(database: Database, claim: _Claim) -> Response:
    response = _find_answer(database, claim)
    assert response is not None, "a claimed key has a stored answer"
    return response
