"""Who did what, when, as which role: append-only rows, sealed into a hash chain after commit.

`before` and `after` are hashed, never stored, so the audit holds no personal data.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from shared.chain import Chain, moment
from shared.clock import business_date
from shared.transaction import Tx

_INSERT = (
    "insert into audit (stream, at, actor, roles, action, subject, before_hash, after_hash, request_id)"
    " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_INSERT_MANY = """
    insert into audit (stream, at, actor, roles, action, subject, before_hash, after_hash, request_id)
    select t.stream, t.at, t.actor, array(select jsonb_array_elements_text(t.roles)), t.action, t.subject,
        t.before_hash, t.after_hash, t.request_id
    from unnest(%s::text[], %s::timestamptz[], %s::text[], %s::jsonb[], %s::text[], %s::text[], %s::text[], %s::text[],
        %s::text[]) with ordinality as t(stream, at, actor, roles, action, subject, before_hash, after_hash,
        request_id, n)
    order by t.n
"""
CHAIN = Chain(
    name="audit",
    table="audit",
    partition_key="stream",
    partition_type="text",
    content_sql=f"json_build_array(t.id, t.stream, {moment('t.at')}, t.actor, t.roles, t.action, t.subject,"
    " t.before_hash, t.after_hash, t.request_id)::text",
)


def digest(value: Any) -> str | None:
    """SHA-256 of the canonical JSON of `value`; None stays None."""
    if value is None:
        return None
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


def row_of(tx: Tx, action: str, subject: str, before: Any = None, after: Any = None) -> tuple[Any, ...]:
    """A row for `record_all`."""
    return (
        f"{business_date(tx.now):%Y-%m}",
        tx.now,
        tx.actor.id,
        sorted(tx.actor.roles),
        action,
        subject,
        digest(before),
        digest(after),
        tx.request_id,
    )


def record(tx: Tx, action: str, subject: str, *, before: Any = None, after: Any = None) -> None:
    """Write one audit row in the caller's transaction. `action` is `<noun>.<verb>`, `subject` an id."""
    tx.conn.exec_driver_sql(_INSERT, row_of(tx, action, subject, before, after))


def record_all(tx: Tx, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write audit rows made by `row_of`, in this order, in one statement."""
    if not rows:
        return
    told = [(*row[:3], orjson.dumps(row[3]).decode(), *row[4:]) for row in rows]
    tx.conn.exec_driver_sql(_INSERT_MANY, tuple(list(column) for column in zip(*told, strict=True)))
