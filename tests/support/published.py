"""Every event that a test left behind, judged by the published documents and not by our own code.

The validator is a third party's (jsonschema-rs), with formats; what it reads are the AsyncAPI documents as committed.
"""

from functools import cache
from typing import Any

import jsonschema_rs
import orjson
import psycopg

from deploy.generate.repository import ROOT, SERVICES
from shared.wire import amqp_headers

FAULTS_SHOWN_MAX = 5
_OUTBOX = """
    select event_id::text, type, subject, version, day::text, amount_fen,
        to_char(occurred_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
        traceparent, correlation_id, causation_id, data::text
    from outbox
"""


@cache
def document_of(package: str) -> dict[str, Any]:
    path = ROOT / "services" / SERVICES[package] / "contracts" / "asyncapi.json"
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    return found


@cache
def validators_of(event_type: str) -> tuple[Any, Any]:
    """Of payload and headers. Raises KeyError for a type that nobody published."""
    document = document_of(event_type.partition(".")[0])
    message = document["components"]["messages"][event_type.replace(".", "_")]
    return tuple(  # type: ignore[return-value]
        jsonschema_rs.Draft202012Validator(
            {**message[part], "components": document["components"]}, validate_formats=True
        )
        for part in ("payload", "headers")
    )


def faults_of(event_type: str, data: Any, headers: dict[str, str] | None = None) -> list[str]:
    """What the published schemas have against one event, in their own words."""
    try:
        payload, head = validators_of(event_type)
    except KeyError:
        return [f"{event_type} is not in the published documents"]
    pairs = [(payload, data)] if headers is None else [(payload, data), (head, headers)]
    return [
        f"{event_type} {'/'.join(map(str, each.instance_path))}: {each.message[:300]}"
        for validator, value in pairs
        if not validator.is_valid(value)
        for each in validator.iter_errors(value)
    ]


def faults_in(url: str) -> list[str]:
    """What is wrong with the events in the outbox of the database at `url`; the first few.

    Services that only tests have ("till", "book") publish nothing to anybody and are passed over.
    """
    found: list[str] = []
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as conn:
        if conn.execute("select to_regclass('outbox')").fetchone() == (None,):
            return []
        for row in conn.execute(_OUTBOX):
            *head, data = row
            source = head[1].partition(".")[0]
            if source in SERVICES:
                headers = amqp_headers(source, 1, *head, epoch=1)
                found += faults_of(head[1], orjson.loads(data), headers)
            if len(found) >= FAULTS_SHOWN_MAX:
                break
    return found[:FAULTS_SHOWN_MAX]


def require_as_published(url: str) -> None:
    """Fail when an event in the database at `url` is not what the documents promise."""
    if faults := faults_in(url):
        raise AssertionError("\n".join(["events were written that the published schemas refuse:", *faults]))
