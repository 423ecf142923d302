"""Bring one consumer through a new incarnation of a source's log, by an operator's decision.

The common ancestor is the last number up to which both have the same events. What was received above it is lost:
it is forgotten in the inbox, kept in `lost_events`, and its effects are undone as far as they are facts of others
(`Service.withdraw`); events of our own that it caused are named, because only people can say what becomes of them.
Everything is one transaction; afterwards the consumer reads the new log from the ancestor on by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, text

from shared import audit, watermark
from shared.client import PAGE_EVENTS_MAX, Claim, FeedClient, Head
from shared.clock import utc_now
from shared.database import Database
from shared.errors import Conflict
from shared.identity import Actor
from shared.incarnation import DIGEST, ReasonMissing
from shared.service import LostEvent, Service
from shared.transaction import Tx

CAUSED_MAX = 100_000


class ProducerHeld(Conflict):
    code = "producer_held"


class NothingToAccept(Conflict):
    code = "nothing_to_accept"


class EpochNotRaised(Conflict):
    """The log contradicts what is here and is still of the same epoch."""

    code = "epoch_not_raised"


class AncestorUnknown(Conflict):
    """What this consumer has forgotten cannot be compared any more: rebuild it from the feed."""

    code = "ancestor_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """`lost` were received above `ancestor_seq`; `notes` say what was undone and what people must decide."""

    epoch: int
    ancestor_seq: int
    lost: list[LostEvent]
    notes: list[dict[str, Any]]


# The digests of everything received above :after and up to the watermark, whole pages at once where possible.
_STRETCH = text(
    f"""
    select coalesce(bit_xor(digest), 0) from (
        select {DIGEST.format(seq="seq", id="event_id")} as digest from inbox
        where source = :source and seq > :after and seq <= :contiguous
        union all
        select page_hash from inbox_pages where source = :source and first_seq > :after
        union all
        select {DIGEST.format(seq="seq", id="event_id")} from (
            select p.first_seq + k as seq, encode(substr(p.event_ids, (k * 16 + 1)::int, 16), 'hex')::uuid as event_id
            from inbox_pages p, generate_series(0, p.last_seq - p.first_seq) as k
            where p.source = :source and p.first_seq <= :after and p.last_seq > :after
        ) as cut where seq > :after
    ) as stretch
    """
)
_LOWEST = text(
    """
    select least((select min(first_seq) from inbox_pages where source = :source),
        (select min(seq) from inbox where source = :source)) - 1
    """
)
_ABOVE = text(
    """
    select seq, event_id from inbox where source = :source and seq > :after
    union all
    select p.first_seq + k, encode(substr(p.event_ids, (k * 16 + 1)::int, 16), 'hex')::uuid
    from inbox_pages p, generate_series(0, p.last_seq - p.first_seq) as k
    where p.source = :source and p.last_seq > :after and p.first_seq + k > :after
    order by 1
    """
)
_PARKED_ABOVE = text(
    "delete from parked_events where source = :source and seq > :after and seq <> all(cast(:kept as bigint[]))"
    " returning seq, state, reason_code, reason, payload, decided_by, decided_reason"
)
_FORGET = (
    text("delete from inbox where source = :source and seq > :after and seq <> all(cast(:kept as bigint[]))"),
    text("delete from inbox_pages where source = :source and first_seq > :after"),
    text(
        f"""
        update inbox_pages p set last_seq = :after,
            event_ids = substr(event_ids, 1, ((:after - first_seq + 1) * 16)::int),
            page_hash = page_hash # (
                select bit_xor({DIGEST.format(seq="seq", id="event_id")}) from (
                    select p.first_seq + k as seq,
                        encode(substr(p.event_ids, (k * 16 + 1)::int, 16), 'hex')::uuid as event_id
                    from generate_series(:after - p.first_seq + 1, p.last_seq - p.first_seq) as k
                ) as cut
            )
        where source = :source and first_seq <= :after and last_seq > :after
        """
    ),
)
_NOTE = text(
    "insert into lost_events (source, seq, event_id, epoch, noted_at, detail)"
    " values (:source, :seq, :event_id, :epoch, :now, cast(:detail as jsonb)) on conflict do nothing"
)
_RESUME = text(
    "update source_state set epoch = :epoch, contiguous_seq = :after, pruned_seq = least(pruned_seq, :after),"
    " max_seq = greatest(:after, (select max(k) from unnest(cast(:kept as bigint[])) as k)), head_seq = :head, log_hash = :log_hash, checked_at = null, stuck_since = null,"
    " halted_at = null, halted_reason = null, halted_detail = null where source = :source"
)
_REMEMBER = text(
    "insert into accepted_epochs (source, epoch, accepted_at, before_epoch, ancestor_seq, lost_events,"
    " accepted_by, reason) values (:source, :epoch, :now, :before, :after, :lost, :actor, :reason)"
)
_CAUSED = text(
    "select causation_id, event_id, type, subject, day, amount_fen from outbox"
    " where causation_id = any(:ids) order by id limit :limit"
)


def accept(database: Database, service: Service, feed: FeedClient, *, actor: Actor, reason: str) -> Accepted:
    """Accept the log of the feed's source as it is now.

    Raises ReasonMissing, ProducerHeld, NothingToAccept, EpochNotRaised, AncestorUnknown, FeedUnavailable.
    """
    if not reason.strip():
        raise ReasonMissing("say why, and who agreed")
    head = feed.head()
    if head.held is not None:
        raise ProducerHeld(f"{feed.source} numbers nothing: {head.held}; raise its epoch first")
    with database.begin() as conn:
        conn.execute(
            text("select 1 from source_state where source = :source for update"), {"source": feed.source}
        )
        state = watermark.state_of(conn, feed.source)
        if state.halted_at is None and head.epoch == state.epoch:
            raise NothingToAccept(f"{feed.source} is not halted here, and its epoch is known")
        ancestor_seq, log_hash = _ancestor(conn, feed, state, head)
        tx = Tx(conn=conn, actor=actor, now=utc_now())
        lost, kept = _lost(conn, feed, state, ancestor_seq, head)
        if lost and head.epoch == state.epoch:
            raise EpochNotRaised(
                f"{len(lost)} events are here that {feed.source} does not have, under one epoch: raise its epoch"
            )
        notes = _withdraw(tx, service, feed, ancestor_seq, lost)
        _note_lost(tx, state, ancestor_seq, lost, kept)
        _resume(tx, state.source, head, (ancestor_seq, log_hash), kept)
        _remember(tx, state, head, ancestor_seq, len(lost), reason.strip())
    return Accepted(epoch=head.epoch, ancestor_seq=ancestor_seq, lost=lost, notes=notes)


def _ancestor(
    conn: Connection, feed: FeedClient, state: watermark.SourceState, head: Head
) -> tuple[int, int | None]:
    """The last number up to which both logs are one, and their hash there.

    What is equal up to a number is equal up to every smaller one, so halving finds it in some twenty requests.
    """
    top = min(state.contiguous_seq, head.last_seq)
    if state.log_hash is None:
        raise AncestorUnknown(f"nothing is known of what was received from {feed.source}")
    floor = conn.execute(_LOWEST, {"source": feed.source}).scalar()
    low = top if floor is None else min(int(floor), top)

    def own_hash(at: int) -> int:
        assert state.log_hash is not None
        stretch = {"source": feed.source, "after": at, "contiguous": state.contiguous_seq}
        return int(state.log_hash ^ conn.execute(_STRETCH, stretch).scalar_one())

    def is_common(at: int) -> bool:
        return feed.head(Claim(at=at, log_hash=None, epoch=None, seen=at)).at_hash == own_hash(at)

    if not is_common(low):
        raise AncestorUnknown(f"{feed.source}'s log differs before event {low + 1}, which is forgotten here")
    high = top
    while low < high:
        middle = (low + high + 1) // 2
        if is_common(middle):
            low = middle
        else:
            high = middle - 1
    return low, own_hash(low)


def _lost(
    conn: Connection, feed: FeedClient, state: watermark.SourceState, after: int, head: Head
) -> tuple[list[LostEvent], list[int]]:
    """What was received above `after` and where the new log has it again; and beside it the numbers that stand.

    Behind a gap there may be events that are in their place: nothing happens to them.
    """
    rows = conn.execute(_ABOVE, {"source": feed.source, "after": after}).all()
    now_at: dict[UUID, int] = {}
    for page in _pages(feed, after, head.last_seq) if rows else ():
        now_at.update({each.event_id: each.seq for each in page if each.event_id and each.seq})
    kept = [row.seq for row in rows if row.seq > state.contiguous_seq and now_at.get(row.event_id) == row.seq]
    lost = [
        LostEvent(
            source=feed.source, seq=row.seq, event_id=row.event_id, comes_again_as=now_at.get(row.event_id)
        )
        for row in rows
        if row.seq not in kept
    ]
    return lost, kept


def _pages(feed: FeedClient, after: int, last: int) -> Iterator[Sequence[Any]]:
    while after < last:
        page = feed.events(after=after, limit=min(PAGE_EVENTS_MAX, last - after))
        if not page:
            return
        yield page
        after += len(page)


def _withdraw(
    tx: Tx, service: Service, feed: FeedClient, after: int, lost: Sequence[LostEvent]
) -> list[dict[str, Any]]:
    """Undo what the service can, and name what was caused by lost events and stays."""
    if not lost:
        return []
    notes = []
    if service.withdraw is not None:
        log = (each for page in _pages(feed, 0, after) for each in page)
        notes += list(service.withdraw(tx, feed.source, after, lost, log))
    caused = tx.conn.execute(
        _CAUSED,
        {"ids": [str(each.event_id) for each in lost if each.comes_again_as is None], "limit": CAUSED_MAX},
    )
    by_id = {str(each.event_id): each.seq for each in lost}
    corrected = {each["corrected_seq"] for each in notes if "corrected_seq" in each}
    notes += [
        {
            "stays": row.type,
            "subject": row.subject,
            "day": row.day,
            "amount_fen": row.amount_fen,
            "event_id": row.event_id,
            "caused_by_seq": by_id[row.causation_id],
        }
        for row in caused
        if by_id[row.causation_id] not in corrected
    ]
    return notes


def _note_lost(
    tx: Tx, state: watermark.SourceState, after: int, lost: Sequence[LostEvent], kept: Sequence[int]
) -> None:
    """Keep what was lost, with what was parked of it."""
    rows = tx.conn.execute(_PARKED_ABOVE, {"source": state.source, "after": after, "kept": list(kept)})
    parked = {row.seq: dict(row._mapping) for row in rows}  # noqa: SLF001 - SQLAlchemy's public name
    for each in lost:
        detail = {"comes_again_as": each.comes_again_as, "parked": parked.get(each.seq)}
        tx.conn.execute(
            _NOTE,
            {
                "source": each.source,
                "seq": each.seq,
                "event_id": each.event_id,
                "epoch": state.epoch,
                "now": tx.now,
                "detail": orjson.dumps(detail, default=str).decode(),
            },
        )


def _resume(tx: Tx, source: str, head: Head, ancestor: tuple[int, int | None], kept: Sequence[int]) -> None:
    """Forget what is not in the new log, and read on from where both are one."""
    after, log_hash = ancestor
    where = {"source": source, "after": after, "kept": list(kept)}
    for statement in _FORGET:
        tx.conn.execute(statement, where)
    tx.conn.execute(_RESUME, {**where, "epoch": head.epoch, "head": head.last_seq, "log_hash": log_hash})


def _remember(tx: Tx, state: watermark.SourceState, head: Head, after: int, lost: int, reason: str) -> None:
    """Who accepted which epoch, and why."""
    tx.conn.execute(
        _REMEMBER,
        {
            "source": state.source,
            "after": after,
            "epoch": head.epoch,
            "now": tx.now,
            "before": state.epoch if state.epoch != head.epoch else None,
            "lost": lost,
            "actor": tx.actor.id,
            "reason": reason,
        },
    )
    audit.record(
        tx,
        "log.accept",
        f"{state.source} epoch {head.epoch} after {after}",
        before=state.epoch,
        after=[head.epoch, after, lost, reason],
    )
