"""The web process of any service, assembled from its description; what happens around every request."""

import re
import secrets
import time
from collections.abc import Callable
from typing import Any

import orjson
import structlog
from flask import Flask, Response, current_app, g, request
from flask.json.provider import JSONProvider
from flask_smorest import Api
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from shared import (
    __version__,
    address,
    callers,
    documentation,
    health,
    internal_api,
    metrics,
    problems,
    rations,
)
from shared.admission import ENVIRON_KEY, Admission
from shared.database import Database
from shared.errors import DomainError
from shared.identity import RoleNotAdmitted, Verifier
from shared.languages import Text
from shared.service import Service
from shared.settings import Settings
from shared.strict_json import parse
from shared.wakeup import Wakeup
from shared.web import PAGE_COOKIE

log = structlog.get_logger()

REQUEST_ID = re.compile(r"\A[A-Za-z0-9._:-]{1,64}\Z")
TRACEPARENT = re.compile(r"\A00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z")
SLOW_REQUEST_S = 1.0
NOTHING_ELSE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Of an answer that is no page: should a browser show it, it loads and runs nothing."""
HTTPS_ONLY = "max-age=31536000; includeSubDomains"


class _Json(JSONProvider):
    """orjson: exact integers, no floats by accident, dates and UUIDs as text."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj, default=str, option=orjson.OPT_NON_STR_KEYS).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return parse(s.encode() if isinstance(s, str) else s).value

    def response(self, *args: Any, **kwargs: Any) -> Response:
        payload = args[0] if args else kwargs
        body = orjson.dumps(payload, default=str, option=orjson.OPT_NON_STR_KEYS)
        return current_app.response_class(body, mimetype="application/json")


class _Api(Api):  # type: ignore[misc]
    """Routes and the OpenAPI document; errors are answered by this module alone."""

    def _register_error_handlers(self) -> None:
        pass


def new_app(service: Service, settings: Settings) -> Flask:
    """The Flask application of a service: its blueprints, the internal feed, health, metrics, documentation."""
    app = Flask(service.name, static_folder=None)
    app.json = _Json(app)
    app.config.update(
        API_TITLE=f"Apotheca {service.title}",
        API_VERSION=__version__,
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
        jwks=settings.jwks,
        issuer=settings.issuer,
        audience=settings.audience,
        sign_in_hours_max=settings.sign_in_hours_max,
        feed_sign_in_days_max=settings.feed_sign_in_days_max,
    )
    app.extensions["failures"] = callers.Failures()
    app.extensions["wakeup"] = Wakeup(settings.database_url)
    # An address has one spelling, with or without its last slash; others are not there, and nothing is redirected.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False

    app.before_request(_open)
    app.after_request(_close)
    app.register_error_handler(DomainError, problems.domain_problem)
    app.register_error_handler(HTTPException, problems.http_problem)
    app.register_error_handler(ParseException, problems.framing_problem)
    app.register_error_handler(DBAPIError, problems.database_problem)
    app.register_error_handler(PoolTimeout, problems.pool_problem)
    app.register_error_handler(Exception, problems.bug_problem)

    api = _Api(app)
    for blueprint in service.blueprints:
        api.register_blueprint(blueprint, url_prefix=f"/v1{blueprint.url_prefix or ''}")
    documentation.describe(app, api)
    for blueprint in (internal_api.blueprint, health.blueprint, documentation.blueprint):
        app.register_blueprint(blueprint)
    if service.configure:
        service.configure(app)
    return app


def _open() -> Response | None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    parent = request.headers.get("traceparent", "")
    made = secrets.token_hex(40)  # one call: each is a system call
    g.request_id = given if REQUEST_ID.fullmatch(given) else made[:32]
    g.traceparent = parent if TRACEPARENT.fullmatch(parent) else f"00-{made[32:64]}-{made[64:]}-01"
    address.require_text(request)
    if request.endpoint is None:
        return None
    view = current_app.view_functions[request.endpoint]
    roles = _admitted(view)
    if roles is not None:
        g.actor = callers.authenticate(_authorization(view))
        if not g.actor.roles & roles:
            raise RoleNotAdmitted(
                Text("this needs one of: {roles}", roles=", ".join(sorted(roles))), roles=sorted(roles)
            )
    admission: Admission | None = request.environ.get(ENVIRON_KEY)
    if admission is not None:
        return _admit_body(view, admission)
    share = getattr(view, "ration_share", 0)
    if share:
        rations.take(
            current_app.extensions["database"],
            current_app.extensions["settings"],
            actor_id=g.actor.id,
            address=callers.address(),
            share=share,
        )
    return None


def _admit_body(view: Callable[..., Any], admission: Admission) -> Response:
    """Whether the body shall come, and for whom it counts; the answer is for the worker alone."""
    settings: Settings = current_app.extensions["settings"]
    is_upload = getattr(view, "is_upload", False)
    bytes_max = settings.bulk_body_bytes_max if is_upload else settings.body_bytes_max
    if (request.content_length or 0) > bytes_max:
        raise RequestEntityTooLarge(f"at most {bytes_max} bytes in one request")
    admission.actor_id = g.actor.id if "actor" in g else None
    caller = callers.as_actor(g.actor.id) if "actor" in g else callers.as_address(callers.address())
    admission.grant(caller=caller, body_bytes_max=bytes_max, is_upload=is_upload)
    return Response(status=204)


def _authorization(view: Callable[..., Any]) -> str | None:
    """The cookie counts only where nothing can be changed, so no other site can make a browser act for someone."""
    given = request.headers.get("Authorization")
    if given is None and getattr(view, "is_page", False) and request.method in {"GET", "HEAD"}:
        token = request.cookies.get(PAGE_COOKIE)
        return f"Bearer {token}" if token else None
    return given


def _admitted(view: Callable[..., Any]) -> frozenset[str] | None:
    assert hasattr(view, "admitted_roles"), f"{view.__name__} declares neither @admits nor @public"
    return view.admitted_roles  # type: ignore[no-any-return]


def _close(response: Response) -> Response:
    admission: Admission | None = request.environ.get(ENVIRON_KEY)
    if admission is not None and admission.is_granted:
        return response  # the request is not over, it only begins
    response.headers["X-Request-ID"] = g.get("request_id", "")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    response.headers.setdefault("Content-Security-Policy", NOTHING_ELSE)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = HTTPS_ONLY
    taken_s = time.perf_counter() - g.get("started", time.perf_counter())
    metrics.REQUEST_SECONDS.labels(request.endpoint or "none", str(response.status_code)).observe(taken_s)
    if response.status_code >= 400 or taken_s > SLOW_REQUEST_S:
        log.info(
            "request",
            method=request.method,
            endpoint=request.endpoint,
            status=response.status_code,
            code=g.get("problem_code"),
            actor=g.actor.id if "actor" in g else None,
            taken_ms=round(taken_s * 1000, 1),
            request_id=g.get("request_id"),
            trace=g.get("traceparent"),
        )
    return response
