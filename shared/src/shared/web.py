"""The web process of any service: transactions at the edge, problem documents, identity, idempotency.

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
  successes are stored: a refusal changed nothing, so the same request may be decided anew;
- every error is an RFC 9457 problem document with a stable `code`; input never makes a 500;
- request id and W3C trace context are taken from the request or made, echoed, and put on every event.
"""

import hashlib
import re
import secrets
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

import orjson
import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, request
from flask.json.provider import JSONProvider
from flask_smorest import Api
from psycopg import errors as pg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from shared import metrics
from shared.clock import utc_now
from shared.database import Database
from shared.errors import Conflict, DomainError, Invalid, Unavailable
from shared.identity import RoleNotAdmitted, Verifier
from shared.service import Service
from shared.settings import Settings
from shared.transaction import Tx

log = structlog.get_logger()

KEY = re.compile(r"^[\x21-\x7e]{1,128}$")
REQUEST_ID = re.compile(r"^[A-Za-z0-9._:-]{1,64}$")
TRACEPARENT = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
SLOW_REQUEST_S = 1.0
PAGE_COOKIE = "apotheca_token"
ERRORS_SHOWN_MAX = 100
STACK_FRAMES_LOGGED = 8

View = TypeVar("View", bound=Callable[..., Any])


class IdempotencyKeyMissing(Invalid):
    code = "idempotency_key_missing"


class IdempotencyKeyReused(Conflict):
    code = "idempotency_key_reused"


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"


class Busy(Unavailable):
    """Two requests wanted the same row for too long."""

    code = "busy"


class TextNotStorable(Invalid):
    code = "text_not_storable"


class _Json(JSONProvider):
    """orjson: exact integers, no floats by accident, dates and UUIDs as text."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj, default=str, option=orjson.OPT_NON_STR_KEYS).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        payload = args[0] if args else kwargs
        body = orjson.dumps(payload, default=str, option=orjson.OPT_NON_STR_KEYS)
        return current_app.response_class(body, mimetype="application/json")


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


def page(view: View) -> View:
    """A page for people: on GET it also takes the token from the cookie that signing in set."""
    view.is_page = True  # type: ignore[attr-defined]
    return view


def command(view: Callable[..., Any]) -> Callable[..., Response]:
    """Run the view in a transaction that commits when it answers below 400; see the module's promises."""

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not KEY.match(key):
            raise IdempotencyKeyMissing(
                "send `Idempotency-Key`: 1 to 128 visible ASCII characters, one per intended change"
            )
        database: Database = current_app.extensions["database"]
        claim = _Claim(key)
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
            raise
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
        with database.read() as conn:
            response = make_response(view(_tx(conn), *args, **kwargs))
            assert not response.is_streamed, "a streaming view opens its own connection"
            return response

    return run


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


class _Claim:
    def __init__(self, key: str) -> None:
        self.key = key
        self.actor = g.actor.id
        self.route = f"{request.method} {request.path}"
        self.body_hash = _body_hash()

    def store(self, tx: Tx, response: Response) -> None:
        """Last statement of the transaction: two requests with one key meet here, one goes on."""
        stored = tx.conn.exec_driver_sql(
            "insert into idempotency_keys (key, actor, route, body_hash, status, response, created_at)"
            " values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            (
                self.key,
                self.actor,
                self.route,
                self.body_hash,
                response.status_code,
                response.get_data(),
                tx.now,
            ),
        )
        if not stored.rowcount:
            raise _AlreadyAnswered


def _body_hash() -> bytes:
    """Of the canonical JSON where the body is JSON, so that formatting does not matter; else of the bytes."""
    body = request.get_data(cache=True)
    with suppress(orjson.JSONDecodeError):
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(request.query_string + b"\n" + body).digest()


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


# --- problems ---------------------------------------------------------------------------------------


def problem(code: str, status: int, detail: str, context: Mapping[str, Any]) -> Response:
    """An RFC 9457 document; `code` is the stable name of the refusal."""
    body = {
        "type": f"urn:apotheca:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": g.get("request_id"),
        **context,
    }
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def _domain_problem(error: DomainError) -> Response:
    context = dict(error.context)
    retry_after_s = context.get("retry_after_s")
    response = problem(error.code, error.status, error.detail, context)
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="apotheca"'
    return response


_HTTP_CODES = {
    400: "malformed",
    404: "no_such_address",
    405: "method_not_allowed",
    413: "too_large",
    415: "media_type_not_supported",
    422: "payload_invalid",
}


def _http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    response = error.get_response()
    if status < 400:
        return response  # type: ignore[return-value]
    messages = (
        getattr(error, "data", {}).get("messages") if isinstance(getattr(error, "data", None), dict) else None
    )
    code = _HTTP_CODES.get(status, f"http_{status}")
    context: dict[str, Any] = {}
    detail = str(error.description or HTTPStatus(status).phrase)
    if messages:
        context["errors"] = list(_faults(messages))[:ERRORS_SHOWN_MAX]
        detail = "the payload has faults; each is listed under `errors`"
    made = problem(code, status, detail, context)
    for name in ("Allow", "Retry-After"):
        if name in response.headers:
            made.headers[name] = response.headers[name]
    return made


def _faults(messages: Any, path: tuple[str, ...] = ()) -> Any:
    """Flatten marshmallow's nested messages to `{"path": "lines.0.quantity", "message": …}`.

    The first level names the location (json, query) and is left out of the path.
    """
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from _faults(inner, (*path, str(name)))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _faults(inner, path)
    else:
        yield {"path": ".".join(path[1:]), "message": str(messages)}


def _database_problem(error: DBAPIError) -> Response:
    cause = error.orig
    if isinstance(
        cause, pg.LockNotAvailable | pg.DeadlockDetected | pg.SerializationFailure | pg.QueryCanceled
    ):
        return _domain_problem(Busy("another request holds what this one needs; try again", retry_after_s=1))
    if isinstance(
        cause, pg.DataError | pg.CharacterNotInRepertoire | pg.UntranslatableCharacter | ValueError
    ):
        return _domain_problem(TextNotStorable("a value cannot be stored, such as text with a NUL character"))
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        log.warning("database_unavailable", error=type(cause).__name__)
        return _domain_problem(DatabaseUnavailable("the database does not answer now", retry_after_s=2))
    return _bug(error)


def _pool_problem(error: PoolTimeout) -> Response:
    return _domain_problem(DatabaseUnavailable("every database connection is in use", retry_after_s=2))


def _bug(error: Exception) -> Response:
    if isinstance(error, DBAPIError):
        # Its text quotes the statement's values and the row: people's words and names are no business of logs.
        cause = error.orig
        diagnosis = getattr(cause, "diag", None)
        log.error(
            "unexpected_database_error",
            error=type(cause).__name__,
            constraint=getattr(diagnosis, "constraint_name", None),
            table=getattr(diagnosis, "table_name", None),
            where=traceback.format_tb(error.__traceback__)[-STACK_FRAMES_LOGGED:],
            endpoint=request.endpoint,
            request_id=g.get("request_id"),
        )
    else:
        log.error(
            "unexpected_error", exc_info=error, endpoint=request.endpoint, request_id=g.get("request_id")
        )
    return problem("internal", 500, "something failed here; the request id finds it in the logs", {})


class _Api(Api):  # type: ignore[misc]
    """Routes and the OpenAPI document; errors are answered by this module alone."""

    def _register_error_handlers(self) -> None:
        pass


# --- the application --------------------------------------------------------------------------------


def new_app(service: Service, settings: Settings) -> Flask:
    """The Flask application of a service: its blueprints, the internal feed, health, metrics, documentation."""
    from shared import documentation, health, internal_api
    from shared.wakeup import Wakeup

    app = Flask(service.name, static_folder=None)
    app.json = _Json(app)
    app.config.update(
        API_TITLE=f"Apotheca {service.title}",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        MAX_CONTENT_LENGTH=settings.body_bytes_max,
        MAX_FORM_MEMORY_SIZE=settings.body_bytes_max,
        PROPAGATE_EXCEPTIONS=False,
        API_SPEC_OPTIONS={
            "components": {
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
            },
            "security": [{"bearer": []}],
        },
    )
    app.extensions["service"] = service
    app.extensions["settings"] = settings
    app.extensions["database"] = Database(settings.database_url, pool_size=settings.database_pool_size)
    app.extensions["verifier"] = Verifier(
        jwks=settings.jwks, issuer=settings.issuer, audience=settings.audience
    )
    app.extensions["wakeup"] = Wakeup(settings.database_url)
    app.url_map.strict_slashes = False

    app.before_request(_open)
    app.after_request(_close)
    app.register_error_handler(DomainError, _domain_problem)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(DBAPIError, _database_problem)
    app.register_error_handler(PoolTimeout, _pool_problem)
    app.register_error_handler(Exception, _bug)

    api = _Api(app)
    for blueprint in service.blueprints:
        api.register_blueprint(blueprint, url_prefix=f"/v1{blueprint.url_prefix or ''}")
    documentation.describe(app, api)
    for blueprint in (internal_api.blueprint, health.blueprint, documentation.blueprint):
        app.register_blueprint(blueprint)
    if service.configure:
        service.configure(app)
    return app


def _open() -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    parent = request.headers.get("traceparent", "")
    made = secrets.token_hex(40)  # one call: each is a system call
    g.request_id = given if REQUEST_ID.match(given) else made[:32]
    g.traceparent = parent if TRACEPARENT.match(parent) else f"00-{made[32:64]}-{made[64:]}-01"
    if request.endpoint is None:
        return
    view = current_app.view_functions[request.endpoint]
    roles = _admitted(view)
    if roles is None:
        return
    verifier: Verifier = current_app.extensions["verifier"]
    g.actor = verifier.actor(_authorization(view))
    if not g.actor.roles & roles:
        raise RoleNotAdmitted(f"this needs one of: {', '.join(sorted(roles))}", roles=sorted(roles))


def _authorization(view: Callable[..., Any]) -> str | None:
    """The cookie counts only where nothing can be changed, so no other site can make a browser act for someone."""
    given = request.headers.get("Authorization")
    if given is None and getattr(view, "is_page", False) and request.method in {"GET", "HEAD"}:
        token = request.cookies.get(PAGE_COOKIE)
        return f"Bearer {token}" if token else None
    return given


def _admitted(view: Callable[..., Any]) -> frozenset[str] | None:
    if not hasattr(view, "admitted_roles"):
        _unguarded(view)
    return view.admitted_roles  # type: ignore[no-any-return]


def _unguarded(view: Callable[..., Any]) -> NoReturn:
    raise AssertionError(f"{view.__name__} declares neither @admits nor @public")


def _close(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    taken_s = time.perf_counter() - g.get("started", time.perf_counter())
    metrics.REQUEST_SECONDS.labels(request.endpoint or "none", str(response.status_code)).observe(taken_s)
    if response.status_code >= 400 or taken_s > SLOW_REQUEST_S:
        log.info(
            "request",
            method=request.method,
            endpoint=request.endpoint,
            status=response.status_code,
            taken_ms=round(taken_s * 1000, 1),
            request_id=g.get("request_id"),
            trace=g.get("traceparent"),
        )
    return response
