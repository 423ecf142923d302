"""Stop one source in one consumer when its log contradicts what was received from it.

While a source is halted nothing of it is applied and nothing of it is taken for a duplicate; other sources go on.
It is shown by the log line `source_halted`, the metric of that name, `ops … lag` and `/readyz`, and no month closes.
Only `ops … log accept` (shared.acceptance) ends it.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import orjson
import structlog
from sqlalchemy import Connection, text

from shared import messaging_metrics as metrics
from shared.clock import utc_now
from shared.events import Envelope
from shared.wire import Received, to_json

HaltReason = Literal["unknown_epoch", "log_behind", "other_history", "other_event"]
NO_ID = "00000000-0000-0000-0000-000000000000"
"""Stands in the inbox for the id of a message that could not be read, until the producer's copy tells it."""

log = structlog.get_logger(__name__)

_HALT = text(
    "insert into source_state as s (source, halted_at, halted_reason, halted_detail)"
    " values (:source, clock_timestamp(), :reason, :detail) on conflict (source) do update"
    " set halted_at = excluded.halted_at, halted_reason = excluded.halted_reason,"
    " halted_detail = excluded.halted_detail where s.halted_at is null returning source"
)
# One row per message that the inbox did not take, with what is known of it and of its source.
_LOOK = """
    select u.n, s.epoch, s.halted_at is not null as is_halted,
        coalesce(i.event_id::text,
            encode(substr(p.event_ids, ((u.seq - p.first_seq) * 16 + 1)::int, 16), 'hex')::uuid::text) as event_id,
        (select max(a.ancestor_seq) from accepted_epochs a where a.source = u.source and a.before_epoch = u.epoch)
            as ancestor_seq
    from unnest(%s::text[], %s::bigint[], %s::bigint[]) with ordinality as u(source, seq, epoch, n)
    left join source_state s on s.source = u.source
    left join inbox i on i.source = u.source and i.seq = u.seq
    left join lateral (
        select event_ids, first_seq from inbox_pages
        where source = u.source and first_seq <= u.seq and last_seq >= u.seq order by first_seq desc limit 1
    ) p on i.seq is null
"""
_ADOPT = (
    "insert into source_state as s (source, epoch) values (%s, %s) on conflict (source) do update"
    " set epoch = excluded.epoch where s.epoch is null"
)
_IDENTIFY = "update inbox set event_id = %s::uuid where source = %s and seq = %s"
_NOTE_LOST = """
    insert into lost_events (source, seq, event_id, epoch, noted_at, detail)
    values (%s, %s, %s::uuid, %s, %s, %s::jsonb) on conflict do nothing
"""


class Contradicted(Exception):
    """A message contradicts what was received; `apply_batch` rolls back, halts the source and tries again."""

    def __init__(self, source: str, reason: HaltReason, detail: str) -> None:
        super().__init__(detail)
        self.source = source
        self.reason: HaltReason = reason
        self.detail = detail


def halt(conn: Connection, service: str, source: str, reason: HaltReason, detail: str) -> None:
    """Halt the source in the caller's transaction; the first reason stays."""
    done = conn.execute(_HALT, {"source": source, "reason": reason, "detail": detail}).one_or_none()
    metrics.HALTED.labels(service, source).set(1)
    if done is not None:
        log.error("source_halted", service=service, source=source, reason=reason, detail=detail)


def sort_out(conn: Connection, refused: Sequence[Received]) -> tuple[int, bool]:
    """Say what became of messages that the inbox did not take: (how many were withheld, whether to insert again).

    The others are duplicates. Raises Contradicted. Sources first heard of get their epoch here, and are tried again.
    """
    cursor = conn.connection.driver_connection.cursor()  # type: ignore[union-attr]
    cursor.execute(
        _LOOK,
        (
            [each.source for each in refused],
            [each.seq for each in refused],
            [each.epoch for each in refused],
        ),
    )
    withheld, again = 0, set[tuple[Any, Any]]()
    for number, epoch, is_halted, event_id, ancestor_seq in cursor.fetchall():
        each = refused[number - 1]
        assert each.source is not None
        assert each.seq is not None
        if is_halted:
            withheld += 1
        elif epoch is None:
            if each.epoch is not None:
                again.add((each.source, each.epoch))
        elif each.epoch is not None and each.epoch != epoch:
            if ancestor_seq is None:
                detail = f"event {each.seq} is of epoch {each.epoch}, here the log is of epoch {epoch}"
                raise Contradicted(each.source, "unknown_epoch", detail)
            withheld += 1
            if each.seq > ancestor_seq:
                _note_lost(cursor, each)
        elif event_id == NO_ID and each.event_id is not None:
            cursor.execute(_IDENTIFY, (str(each.event_id), each.source, each.seq))
        elif None not in {event_id, each.event_id} and event_id != str(each.event_id):
            detail = f"event {each.seq} came as {each.event_id}, here it is {event_id}"
            raise Contradicted(each.source, "other_event", detail)
    for source, epoch in sorted(again, reverse=True):
        cursor.execute(_ADOPT, (source, epoch))
    return withheld, bool(again)


def _note_lost(cursor: Any, each: Received) -> None:
    """An event of an incarnation that was given up, on its way when it was: kept for the operator, never applied."""
    if isinstance(each, Envelope):
        detail = orjson.dumps(to_json(each)).decode()
        cursor.execute(_NOTE_LOST, (each.source, each.seq, str(each.event_id), each.epoch, utc_now(), detail))


def halted_sources(conn: Connection) -> list[str]:
    """The sources that are halted here, in order."""
    rows: Iterable[Any] = conn.execute(
        text("select source from source_state where halted_at is not null order by source")
    )
    return [row.source for row in rows]
