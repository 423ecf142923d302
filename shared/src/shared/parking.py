"""Events that could not be applied wait in the database, one by one, until somebody decides.

Parking happens in the transaction that writes the event's inbox row, so an event is either applied, parked or
still to come, never lost and never blocking. Later events of the same aggregate are not held back: state
projections compare versions, fact tables do not care about order.
"""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

import marshmallow
import msgspec
import orjson
import sqlalchemy
from sqlalchemy import Connection, text

from shared import wire
from shared.clock import utc_now
from shared.database import Database
from shared.errors import Conflict, DomainError, Invalid, NotFound
from shared.events import Envelope
from shared.halting import halted_sources
from shared.identity import Actor, system_actor
from shared.service import Service
from shared.sqlstates import is_transient, sqlstate_of
from shared.transaction import Tx
from shared.wire import Received, Undecodable

NAMESPACE = UUID("6f6f0c5e-6f2b-5d5a-9d0e-3c7b1c2f7f11")
REASON_CHARS_MAX = 2_000
LIST_ROWS_MAX = 500

_PARK = text(
    """
    insert into parked_events
        (id, source, seq, event_id, type, reason_code, reason, payload, attempts, state, parked_at)
    values (:id, :source, :seq, :event_id, :type, :code, :reason, cast(:payload as jsonb), 1, 'parked', :now)
    on conflict (id) do nothing
    """
)
_LOCK = text("select * from parked_events where id = :id for update")
_DECIDE = text(
    "update parked_events set state = :state, decided_by = :actor, decided_reason = :reason, decided_at = :now"
    " where id = :id"
)
_FAILED_AGAIN = text(
    "update parked_events set attempts = attempts + 1, reason_code = :code, reason = :reason where id = :id"
)


class ParkedEventNotFound(NotFound):
    code = "parked_event_not_found"


class ParkedEventDecided(Conflict):
    code = "parked_event_decided"


class SourceHalted(Conflict):
    code = "source_halted"


class DiscardNeedsReason(Invalid):
    code = "discard_needs_reason"


class ParkedEventUnreadable(Conflict):
    code = "parked_event_unreadable"


Fetch = Callable[[str, int], Received | None]
"""Gets one event by source and number from its producer's feed; None when the feed does not have it."""


def reason_of(error: BaseException) -> tuple[str, str]:
    """The code and the sentence under which an event is parked. Row contents that databases quote stay out.

    Of an error of the database the sentence names its SQLSTATE, the code that does not change with the language.
    """
    if isinstance(error, DomainError):
        return error.code, error.detail[:REASON_CHARS_MAX]
    if isinstance(error, marshmallow.ValidationError):
        return "invalid_payload", orjson.dumps(
            error.messages, default=str, option=orjson.OPT_NON_STR_KEYS
        ).decode()[:REASON_CHARS_MAX]
    if isinstance(error, msgspec.ValidationError):
        return "invalid_payload", str(error)[:REASON_CHARS_MAX]
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None:
        error = error.orig
    lines = str(error).splitlines() or [""]
    state = sqlstate_of(error)
    name = type(error).__name__ if state is None else f"{type(error).__name__} (SQLSTATE {state})"
    return "handler_failed", f"{name}: {lines[0]}"[:REASON_CHARS_MAX]


def refusal_of(service: Service, received: Received) -> tuple[str, str] | None:
    """The code and the sentence of why this release can do nothing with a message; None: it is for the handler.

    The one place where a message is judged before its handler. Nothing is passed over here: what the service has no
    need of it passes over itself, and only of types that this release knows.
    """
    if isinstance(received, Undecodable):
        return "undecodable", received.reason
    if received.source not in service.sources:
        return "unknown_source", f"{service.name} does not listen to {received.source}"
    if received.type not in service.known_types or not received.type.startswith(f"{received.source}."):
        return "unknown_type", f"this release of {service.name} knows no {received.type} of {received.source}"
    return None


def apply_alone(conn: Connection, service: Service, tx: Tx, envelope: Envelope) -> None:
    """Apply one event under a savepoint: it is whole, or leaves nothing. Raises what the handler raises."""
    assert service.handle is not None
    with conn.begin_nested():
        service.handle(tx, [envelope])


def park(conn: Connection, received: Received, code: str, reason: str) -> None:
    """Write the parked row in the caller's transaction; a repeat delivery of the same message writes nothing."""
    payload = received.payload if isinstance(received, Undecodable) else wire.to_json(received)
    encoded = orjson.dumps(payload, default=str)
    conn.execute(
        _PARK,
        {
            "id": _id_of(received, encoded),
            "source": received.source,
            "seq": received.seq,
            "event_id": str(received.event_id) if received.event_id else None,
            "type": received.type,
            "code": code,
            "reason": reason.replace("\x00", "\ufffd"),
            "payload": encoded.decode().replace("\\u0000", "\\ufffd"),
            "now": utc_now(),
        },
    )


def _id_of(received: Received, encoded: bytes) -> UUID:
    if received.seq is None:
        return uuid5(NAMESPACE, hashlib.sha256(encoded).hexdigest())
    return uuid5(NAMESPACE, f"{received.source}/{received.seq}")


def list_parked(
    conn: Connection, *, state: str = "parked", limit: int = LIST_ROWS_MAX
) -> list[dict[str, Any]]:
    """The oldest first, without their payloads."""
    rows = conn.execute(
        text(
            "select id, source, seq, event_id, type, reason_code, reason, attempts, state, parked_at, decided_by,"
            " decided_reason, decided_at from parked_events where state = :state order by parked_at, id limit :limit"
        ),
        {"state": state, "limit": limit},
    )
    return [dict(row) for row in rows.mappings()]


def count_open(conn: Connection) -> int:
    count: int = conn.execute(text("select count(*) from parked_events where state = 'parked'")).scalar_one()
    return count


def open_ids(conn: Connection) -> list[UUID]:
    """Every parked event that waits for a decision, by source and number."""
    rows = conn.execute(
        text("select id from parked_events where state = 'parked' order by source, seq nulls last, id")
    )
    return [row.id for row in rows]


def show_parked(conn: Connection, parked_id: UUID) -> dict[str, Any]:
    """One parked event with its payload. Raises ParkedEventNotFound."""
    row = (
        conn.execute(text("select * from parked_events where id = :id"), {"id": parked_id}).mappings().first()
    )
    if row is None:
        raise ParkedEventNotFound(f"no parked event {parked_id}")
    return dict(row)


def redrive(
    database: Database, service: Service, parked_id: UUID, *, actor: Actor, fetch: Fetch | None = None
) -> bool:
    """Apply one parked event again; True when it went through, False when it failed again (counted, reason kept).

    A payload that was damaged in transit is fetched anew from the producer. Decision and effect are one
    transaction. Raises ParkedEventNotFound, ParkedEventDecided, ParkedEventUnreadable, SourceHalted.
    """
    with database.begin() as conn:
        row = _lock_open(conn, parked_id)
        if row["source"] in halted_sources(conn):
            raise SourceHalted(
                f"nothing of {row['source']} is applied: its log contradicts what was received"
            )
        envelope = _readable(row, fetch)
        refusal = refusal_of(service, envelope)
        if refusal is not None:
            conn.execute(_FAILED_AGAIN, {"id": parked_id, "code": refusal[0], "reason": refusal[1]})
            return False
        tx = Tx(
            conn=conn, actor=system_actor(service.name), now=utc_now(), causation_id=str(envelope.event_id)
        )
        try:
            apply_alone(conn, service, tx, envelope)
        except Exception as error:
            if is_transient(error):
                raise
            code, reason = reason_of(error)
            conn.execute(_FAILED_AGAIN, {"id": parked_id, "code": code, "reason": reason})
            return False
        conn.execute(
            _DECIDE,
            {"id": parked_id, "state": "redriven", "actor": actor.id, "reason": "redriven", "now": utc_now()},
        )
        return True


def discard(database: Database, parked_id: UUID, *, actor: Actor, reason: str) -> None:
    """Decide that one parked event will never be applied. The record stays and counts in the control totals.

    Raises DiscardNeedsReason, ParkedEventNotFound, ParkedEventDecided.
    """
    if not reason.strip():
        raise DiscardNeedsReason("discarding an event needs a reason")
    with database.begin() as conn:
        _lock_open(conn, parked_id)
        conn.execute(
            _DECIDE,
            {
                "id": parked_id,
                "state": "discarded",
                "actor": actor.id,
                "reason": reason.strip(),
                "now": utc_now(),
            },
        )


def _lock_open(conn: Connection, parked_id: UUID) -> dict[str, Any]:
    row = conn.execute(_LOCK, {"id": parked_id}).mappings().first()
    if row is None:
        raise ParkedEventNotFound(f"no parked event {parked_id}")
    if row["state"] != "parked":
        raise ParkedEventDecided(f"parked event {parked_id} was {row['state']} by {row['decided_by']}")
    return dict(row)


def _readable(row: dict[str, Any], fetch: Fetch | None) -> Envelope:
    try:
        return wire.from_json(row["payload"])
    except (KeyError, ValueError, TypeError):
        pass
    if fetch is not None and row["source"] is not None and row["seq"] is not None:
        fetched = fetch(row["source"], row["seq"])
        if isinstance(fetched, Envelope):
            return fetched
    raise ParkedEventUnreadable(
        f"parked event {row['id']} cannot be read and its producer has no better copy; discard it with a reason"
    )
