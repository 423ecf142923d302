"""The statements that change closed months and their revisions; all within the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import date

from psycopg import Cursor

from reporting.kernel.canonical import json_of
from shared.clock import month_of
from shared.events import Envelope
from shared.transaction import Tx


def _cursor(tx: Tx) -> Cursor[tuple[date]]:
    made: Cursor[tuple[date]] = tx.conn.connection.driver_connection.cursor()  # type: ignore[union-attr]
    return made


def closed_of(tx: Tx, months: Sequence[date]) -> set[date]:
    """Those of `months` that are closed."""
    cursor = _cursor(tx).execute("select month from month_closes where month = any(%s)", (list(months),))
    return {row[0] for row in cursor.fetchall()}


def add_revisions(tx: Tx, late: Sequence[Envelope]) -> None:
    """Note facts of closed months."""
    rows = [
        (
            envelope.source,
            envelope.seq,
            month_of(envelope.day),
            envelope.day,
            envelope.type,
            envelope.data.get("branch_id"),
            envelope.amount_fen,
        )
        for envelope in late
    ]
    _cursor(tx).execute(
        "insert into ledger_revisions (source, seq, month, day, type, branch_id, amount_fen, recorded_at)"
        " select u.*, %s from unnest(%s::text[], %s::bigint[], %s::date[], %s::date[], %s::text[], %s::text[],"
        " %s::bigint[]) as u on conflict do nothing",
        [tx.now, *(list(column) for column in zip(*rows, strict=True))],
    )


def remove_revisions(tx: Tx, source: str, numbers: Sequence[int]) -> None:
    """Take out what was noted of these events."""
    _cursor(tx).execute(
        "delete from ledger_revisions where source = %s and seq = any(%s)", (source, list(numbers))
    )


def add_close(
    tx: Tx, month: date, content_hash: str, watermarks: Mapping[str, int], definitions: Mapping[str, str]
) -> None:
    """Close a month, now and by the actor, with what its content hashes to and what it stands on."""
    tx.conn.exec_driver_sql(
        "insert into month_closes (month, closed_at, closed_by, content_hash, watermarks, definitions)"
        " values (%s, %s, %s, %s, %s::jsonb, %s::jsonb)",
        (month, tx.now, tx.actor.id, content_hash, json_of(watermarks), json_of(definitions)),
    )
