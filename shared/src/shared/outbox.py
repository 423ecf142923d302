"""The event is written in the transaction of the change it tells of; the relay publishes it later."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
from psycopg import Cursor

from shared.database import driver_of
from shared.events import Envelope, Event
from shared.transaction import Tx

COLUMNS = (
    "event_id",
    "type",
    "subject",
    "aggregate",
    "version",
    "day",
    "amount_fen",
    "occurred_at",
    "traceparent",
    "correlation_id",
    "causation_id",
    "data",
)
_INSERT = f"insert into outbox ({', '.join(COLUMNS)}) values ({', '.join(['%s'] * len(COLUMNS))})"
_INSERT_MANY = (
    f"insert into outbox ({', '.join(COLUMNS)}) select * from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[],"
    " %s::int[], %s::date[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::jsonb[])"
)
_COPY = f"copy outbox ({', '.join(COLUMNS)}) from stdin"
LINE_SQL = """json_build_object(
            'source', cast({source} as text), 'seq', seq, 'id', event_id, 'type', type, 'subject', subject,
            'version', version, 'day', day, 'amount_fen', amount_fen, 'occurred_at', occurred_at,
            'traceparent', traceparent, 'correlation_id', correlation_id, 'causation_id', causation_id,
            'data', data{more})::text"""
"""An event as the feed serves it; `{source}` is the parameter with the service's name, `{more}` adds members."""
COPY_FROM_EVENTS = 50
"""From here on COPY beats a multi-row insert."""


def append(tx: Tx, *events: Event) -> None:
    """Record events in the caller's transaction.

    Rule: hold the aggregate's row lock (or have just inserted it) first, so that one aggregate's events are
    inserted in commit order. A version used twice is a lost update and raises a unique violation.
    """
    if not events:
        return
    with driver_of(tx.conn) as driver:
        write(driver.cursor(), tx, events)


def write(cursor: Cursor[Any], tx: Tx, events: Sequence[Event]) -> None:
    """As `append`, on a psycopg cursor the caller holds (pipelines and bulk loads)."""
    write_rows(cursor, tx, [row_of(tx, event) for event in events])


def write_rows(cursor: Cursor[Any], tx: Tx, rows: Sequence[tuple[Any, ...]]) -> None:
    """As `write`, of rows made by `row_of`: for a batch whose events have different causes."""
    if not rows:
        return
    tx.has_events = True
    if len(rows) == 1:
        cursor.execute(_INSERT, rows[0])
        return
    if len(rows) < COPY_FROM_EVENTS:
        cursor.execute(_INSERT_MANY, [list(column) for column in zip(*rows, strict=True)])
        return
    with cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)


def row_caused_by(tx: Tx, cause: Envelope, event: Event) -> tuple[Any, ...]:
    """As `row_of`, under the trace of the event that caused this one."""
    under = replace(
        tx,
        traceparent=cause.traceparent,
        correlation_id=cause.correlation_id,
        causation_id=str(cause.event_id),
    )
    return row_of(under, event)


def row_of(tx: Tx, event: Event) -> tuple[Any, ...]:
    return (
        event.event_id,
        event.type,
        event.subject,
        event.aggregate,
        event.version,
        event.day,
        event.amount_fen,
        tx.now,
        tx.traceparent,
        tx.correlation_id or tx.request_id,
        tx.causation_id,
        orjson.dumps(event.data).decode(),
    )
