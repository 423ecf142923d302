"""Is this still the log that consumers know: its epoch, its running hash, and the place it lives in.

A log that was restored to an older state would give numbers anew that others have seen on other events. So:

- every numbered event carries `log_hash`, the hash over numbers and ids of all events up to it (`DIGEST`): whoever
  holds ids of his own can compare any stretch with the producer's;
- the head row remembers the place it was last numbered in: server, timeline, database, table. Whatever pg_restore,
  point-in-time recovery or a move to another server brings back is in another place;
- consumers say in their head beat what they have received; a claim that this log cannot have given is kept here.

Nothing is numbered while one of these speaks against the log (`fault_of`), until an operator raises its epoch or
says that it is the same log in a new place. Business goes on: events wait in the outbox.
"""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from shared import audit
from shared.errors import Conflict, Invalid
from shared.transaction import Tx

FIRST_EPOCH = 1

DIGEST = "('x' || encode(substr(sha256(int8send({seq}) || uuid_send({id})), 1, 8), 'hex'))::bit(64)::bigint"
"""SQL for the digest of one event, to be joined by xor; `digest` is the same in Python."""

# The table's own number: pg_restore --clean into the same database makes it anew.
PLACE = (
    "(select system_identifier::text from pg_control_system())"
    " || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
    " || '/' || (select oid::text from pg_database where datname = current_database())"
    " || '/' || 'outbox_head'::regclass::oid::text"
)
HIGHEST = "coalesce((select max(seq) from outbox where seq is not null), 0)"
PUBLISHED = "coalesce((select confirmed_seq from relay_cursor where partition = 0), 0)"
SOUND = f"h.disputed is null and h.place = {PLACE} and h.last_seq = {HIGHEST} and h.last_seq >= {PUBLISHED}"
"""Over `outbox_head h`: nothing speaks against the log."""


class LogNotSetBack(Conflict):
    code = "log_not_set_back"


class LogIncomplete(Conflict):
    """The outbox itself lacks numbered events: no epoch can make it a log again."""

    code = "log_incomplete"


class LogDisputed(Conflict):
    """Somebody has events that this log does not: it is not the same log in a new place."""

    code = "log_disputed"


class ReasonMissing(Invalid):
    code = "reason_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The log as it stands. `fault` is why nothing is numbered, one sentence, or None; `log_hash` is over all of it."""

    epoch: int
    last_seq: int
    log_hash: int
    fault: str | None


_STANDING = text(
    f"""
    select h.epoch, h.last_seq, h.log_hash, h.disputed, h.disputed_epoch, h.place, {PLACE} as here,
        {HIGHEST} as highest, {PUBLISHED} as published
    from (values (1)) as always(one) left join outbox_head h using (one)
    """
)
_DISPUTE = text(
    f"insert into outbox_head as h (one, last_seq, place, disputed, disputed_epoch)"
    f" values (1, 0, {PLACE}, :claim, :epoch) on conflict (one) do update"
    " set disputed = excluded.disputed, disputed_epoch = excluded.disputed_epoch"
    " where h.disputed is null returning last_seq"
)
# A time of day never comes twice: an epoch raised, lost by another restore and raised again has another number.
_RAISE = text(
    f"""
    insert into outbox_head as h (one, last_seq, epoch, log_hash, place)
    select 1, highest, greatest({FIRST_EPOCH} + 1, extract(epoch from clock_timestamp())::bigint),
        coalesce((select log_hash from outbox where seq = highest), 0), {PLACE}
    from (select {HIGHEST} as highest) as log
    on conflict (one) do update set last_seq = excluded.last_seq, log_hash = excluded.log_hash,
        place = excluded.place, disputed = null, disputed_epoch = null,
        epoch = greatest(h.epoch + 1, h.disputed_epoch + 1, excluded.epoch)
    returning epoch, last_seq
    """
)
_COUNTED = text(
    "select count(*) + (select coalesce(sum(events), 0) from log_archives)::bigint, coalesce(max(seq), 0)"
    " from outbox where seq is not null"
)
_TOTALS = text("select coalesce(sum(events), 0) from outbox_totals")
_COUNT_AGAIN = text(
    "insert into outbox_totals (day, type, events, amount_fen)"
    " select day, type, sum(events), sum(amount_fen) from ("
    "  select day, type, count(*) as events, sum(amount_fen) as amount_fen"
    "  from outbox where seq is not null group by day, type"
    "  union all select each.* from log_archives, jsonb_to_recordset(totals)"
    "   as each(day date, type text, events bigint, amount_fen bigint)"
    " ) as counted group by day, type"
)
_REMEMBER = text(
    "insert into log_epochs (epoch, begins_after, raised_at, raised_by, reason)"
    " values (:epoch, :begins_after, :now, :actor, :reason)"
)


def digest(seq: int, event_id: UUID) -> int:
    """The digest of one event, a signed 64-bit number; those of a stretch are joined by xor, in any order."""
    made = hashlib.sha256(seq.to_bytes(8, "big") + event_id.bytes).digest()
    return int.from_bytes(made[:8], "big", signed=True)


def shown(log_hash: int | None) -> str | None:
    """A hash as it travels: 16 hexadecimal digits, because JSON readers lose bits of large numbers."""
    return None if log_hash is None else f"{log_hash & (2**64 - 1):016x}"


def read(given: str | None) -> int | None:
    """The opposite of `shown`; None for what is none. Raises ValueError."""
    if not given:
        return None
    return int.from_bytes(int(given, 16).to_bytes(8, "big"), "big", signed=True)


def standing(conn: Connection) -> Standing:
    """How the log stands in the caller's snapshot."""
    row = conn.execute(_STANDING).one()
    return Standing(
        epoch=row.epoch or FIRST_EPOCH,
        last_seq=row.last_seq or 0,
        log_hash=row.log_hash or 0,
        fault=fault_of(row),
    )


def fault_of(row: Any) -> str | None:
    """What speaks against the log, in one sentence."""
    last = row.last_seq or 0
    if row.highest > last:
        return f"the log has events up to {row.highest}, its head says {last}"
    if row.highest < last:
        return f"the log ends at {row.highest}, its head says {last}"
    if row.published > last:
        return f"the relay published up to {row.published}, the log ends at {last}"
    if row.disputed is not None:
        return str(row.disputed)
    if row.place not in {None, row.here}:
        return "the log is not where it was numbered last: it was restored or moved"
    return None


def dispute(conn: Connection, claim: str, epoch: int) -> bool:
    """Keep what a consumer has and this log cannot have given; True when it is the first such claim."""
    return conn.execute(_DISPUTE, {"claim": claim, "epoch": epoch}).one_or_none() is not None


def raise_epoch(tx: Tx, reason: str) -> Standing:
    """Begin a new incarnation after the last event that is here. Every consumer stops until it is told to accept it.

    Head, totals and relay cursor are brought to what the outbox holds. Raises ReasonMissing, LogIncomplete.
    """
    _require(reason)
    tx.conn.execute(text("lock table outbox_head in exclusive mode"))
    counted, highest = tx.conn.execute(_COUNTED).one()
    totals = tx.conn.execute(_TOTALS).scalar_one()
    if totals != highest:
        if counted != highest:
            raise LogIncomplete(
                f"the log ends at {highest} and holds {counted} events: restore a whole copy of it"
            )
        tx.conn.execute(text("delete from outbox_totals"))
        tx.conn.execute(_COUNT_AGAIN)
    made = tx.conn.execute(_RAISE).one()
    tx.conn.execute(
        text("update relay_cursor set confirmed_seq = least(confirmed_seq, :last)"), {"last": highest}
    )
    tx.conn.execute(
        _REMEMBER,
        {
            "epoch": made.epoch,
            "begins_after": made.last_seq,
            "now": tx.now,
            "actor": tx.actor.id,
            "reason": reason.strip(),
        },
    )
    audit.record(
        tx, "log.raise_epoch", f"epoch {made.epoch} after {made.last_seq}", after=[made.epoch, reason.strip()]
    )
    return standing(tx.conn)


def keep_epoch(tx: Tx, reason: str) -> Standing:
    """Say that this is the newest state in a new place, nothing lost: number on. Consumers compare all the same.

    Raises ReasonMissing, LogNotSetBack when nothing holds the log, LogDisputed when more than its place has changed.
    """
    _require(reason)
    tx.conn.execute(text("lock table outbox_head in exclusive mode"))
    row = tx.conn.execute(_STANDING).one()
    fault = fault_of(row)
    if fault is None:
        raise LogNotSetBack("nothing holds this log; it numbers")
    if row.disputed is not None or row.highest != row.last_seq or row.published > row.last_seq:
        raise LogDisputed(f"{fault}; this log was set back: raise its epoch")
    tx.conn.execute(text(f"update outbox_head set place = {PLACE}"))
    audit.record(
        tx, "log.keep_epoch", f"epoch {row.epoch} at {row.last_seq}", after=[row.epoch, reason.strip()]
    )
    return standing(tx.conn)


def _require(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing("say why, and who agreed")
