"""Problem documents for what the web worker refuses itself, before the application sees it: faulty HTTP, slowness, size.

The same shape and codes as shared.problems; the connection ends with each of them.
"""

import secrets
from http import HTTPStatus

import orjson
from gunicorn.http import errors

FAULTS: tuple[tuple[type[Exception], int, str, str], ...] = (
    (errors.LimitRequestLine, 414, "address_too_long", "the address of the request is too long"),
    (errors.LimitRequestHeaders, 431, "headers_too_large", "the head of the request is too large"),
    (
        errors.UnsupportedTransferCoding,
        501,
        "transfer_coding_not_supported",
        "send the body plain or chunked",
    ),
    (errors.ExpectationFailed, 417, "expectation_failed", "only `Expect: 100-continue` can be met"),
    (errors.ParseException, 400, "malformed", "the request is not well-formed HTTP"),
)
"""gunicorn's refusals, the narrower class first; what is none of them is our bug."""

OURS = (errors.ConfigurationProblem, errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)


def raw_problem(
    status: int, code: str, detail: str, *, retry_after_s: int | None = None, request_id: str | None = None
) -> bytes:
    """A whole HTTP/1.1 answer that ends the connection."""
    phrase = HTTPStatus(status).phrase
    request_id = request_id or secrets.token_hex(16)
    body = orjson.dumps(
        {
            "type": f"urn:apotheca:problem:{code}",
            "title": phrase,
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": request_id,
        }
    )
    head = [
        f"HTTP/1.1 {status} {phrase}",
        "Connection: close",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        f"X-Request-ID: {request_id}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
    ]
    if retry_after_s is not None:
        head.append(f"Retry-After: {retry_after_s}")
    return "\r\n".join([*head, "", ""]).encode() + body


def refusal_of(fault: Exception) -> tuple[int, str, str] | None:
    """Status, code and sentence for a request that gunicorn's parser refuses; None when the fault is not the client's."""
    if isinstance(fault, OURS):
        return None
    for kind, status, code, detail in FAULTS:
        if isinstance(fault, kind):
            return status, code, detail
    return None
