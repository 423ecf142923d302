"""Every error as an RFC 9457 problem document with a stable `code`. Input never makes a 500; a bug shows no traceback."""

import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Response, g, jsonify, request
from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from shared import languages
from shared.errors import DomainError, Invalid, Unavailable
from shared.faults import listed
from shared.sqlstates import Fault, fault_of

log = structlog.get_logger()

STACK_FRAMES_LOGGED = 8


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    cure = "Send the same again after `Retry-After` seconds, with the same key."


class Busy(Unavailable):
    """Two requests wanted the same row for too long."""

    code = "busy"
    cure = "Send the same again after `Retry-After` seconds, with the same key."


class TextNotStorable(Invalid):
    code = "text_not_storable"
    cure = "Leave out what cannot be stored, such as NUL, and keep to the lengths of the document."


def problem(code: str, status: int, detail: str, context: Mapping[str, Any]) -> Response:
    """An RFC 9457 document; `code` is the stable name of the refusal, the sentences are in the caller's language."""
    g.problem_code = code
    language = languages.language_of_request()
    told = dict(context)
    for name in ("errors", "faults"):
        if isinstance(told.get(name), list | tuple):
            told[name] = listed(told[name], language)
    body = {
        "type": f"urn:apotheca:problem:{code}",
        "title": languages.in_language(HTTPStatus(status).phrase, language),
        "status": status,
        "code": code,
        "detail": languages.in_language(detail, language),
        "request_id": g.get("request_id"),
        **told,
    }
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    response.headers["Content-Language"] = languages.TAGS[language]
    response.vary.add("Accept-Language")
    return response


def domain_problem(error: DomainError) -> Response:
    context = dict(error.context)
    retry_after_s = context.get("retry_after_s")
    response = problem(error.code, error.status, error.detail, context)
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="apotheca"'
    return response


HTTP_CODES = {
    400: ("malformed", "the request cannot be read"),
    404: ("no_such_address", "there is nothing at this address"),
    405: ("method_not_allowed", "this address does not take this method; `Allow` names those it takes"),
    413: ("too_large", "the request is larger than this address takes"),
    415: ("media_type_not_supported", "this address does not take this media type"),
}


def http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    response = error.get_response()
    if status < 400:
        return response  # type: ignore[return-value]
    code, detail = HTTP_CODES.get(status, (f"http_{status}", HTTPStatus(status).phrase))
    made = problem(code, status, detail, {})
    for name in ("Allow", "Retry-After"):
        if name in response.headers:
            made.headers[name] = response.headers[name]
    return made


def framing_problem(error: Exception) -> Response:
    """A chunked body whose chunks are faulty, found while it was read."""
    return problem("malformed", 400, "the body is not well-formed HTTP", {})


def database_problem(error: DBAPIError) -> Response:
    cause = error.orig
    if isinstance(
        cause, pg.LockNotAvailable | pg.DeadlockDetected | pg.SerializationFailure | pg.QueryCanceled
    ):
        return domain_problem(Busy("another request holds what this one needs; try again", retry_after_s=1))
    if isinstance(
        cause, pg.DataError | pg.CharacterNotInRepertoire | pg.UntranslatableCharacter | ValueError
    ):
        return domain_problem(
            TextNotStorable("a value cannot be stored, such as text with the NUL character")
        )
    if isinstance(cause, pg.ProgramLimitExceeded):
        return domain_problem(TextNotStorable("a value is longer than can be stored where it is looked up"))
    if fault_of(error) is Fault.SYSTEM:
        log.warning("database_unavailable", error=type(cause).__name__)
        return domain_problem(DatabaseUnavailable("the database does not answer now", retry_after_s=2))
    return bug_problem(error)


def pool_problem(error: PoolTimeout) -> Response:
    return domain_problem(DatabaseUnavailable("every database connection is in use", retry_after_s=2))


def bug_problem(error: Exception) -> Response:
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
