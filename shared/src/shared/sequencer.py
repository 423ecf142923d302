"""Give committed outbox rows a contiguous number per service: the order every consumer and every ledger counts by.

Numbers are given after the commit and rows are chosen by flag (`seq is null`), never by a cursor on the id, so a
transaction that commits late with a low id simply gets a later number: nothing can be skipped, nothing burnt.
Any number of sequencers may run; they queue on the one row of `outbox_head`. A log that was set back is not
numbered (shared.incarnation).
"""

from datetime import date

from sqlalchemy import Connection, text

from shared.incarnation import DIGEST, PLACE, SOUND

BATCH_ROWS = 1_000
BACKLOG_ROWS = 5_000
"""A larger turn pays off only when that many rows wait."""

_LOCK = text("select last_seq, log_hash from outbox_head where one = 1 for update")
_FIRST = text(f"insert into outbox_head (one, last_seq, place) values (1, 0, {PLACE}) on conflict do nothing")
# Rows of one aggregate were inserted in commit order (outbox.append says so), hence `order by id`.
# The month stands in the text: the statement is then planned for one part of the log, however many there are.
_MONTH = text("select min(month) from outbox where seq is null")
_NUMBER = f"""
    with sound as materialized (
        select from outbox_head h where one = 1 and {SOUND}
    ), batch as materialized (
        select id, event_id, :last + row_number() over (order by id) as seq
        from (
            select id, event_id from outbox
            where seq is null and month = '{{month}}' and exists (select from sound) order by id limit :limit
        ) as waiting
    ), digested as materialized (
        select id, seq, {DIGEST.format(seq="seq", id="event_id")} as digest from batch
    ), hashed as (
        select id, seq, cast(:log_hash as bigint) # bit_xor(digest) over (order by seq) as log_hash from digested
    ), numbered as (
        update outbox o set seq = hashed.seq, log_hash = hashed.log_hash from hashed
        where o.id = hashed.id and o.month = '{{month}}'
        returning o.day, o.type, o.amount_fen
    ), totals as (
        insert into outbox_totals as t (day, type, events, amount_fen)
        select day, type, count(*), sum(amount_fen) from numbered group by day, type
        on conflict (day, type) do update
        set events = t.events + excluded.events, amount_fen = t.amount_fen + excluded.amount_fen
    )
    update outbox_head set last_seq = last_seq + (select count(*) from numbered),
        log_hash = log_hash # coalesce((select bit_xor(digest) from digested), 0)
    where one = 1 returning last_seq
"""


def number_events(conn: Connection, limit: int = BATCH_ROWS) -> int:
    """Number up to `limit` committed rows in the caller's (short) transaction and return how many.

    The head is locked by a statement of its own: the numbering statement then has a snapshot taken after the
    lock, so it sees what an earlier holder numbered. Day totals and the hash are kept in the same transaction.
    One turn numbers events of one month of the log, the oldest that has any waiting.
    """
    head = conn.execute(_LOCK).one_or_none()
    if head is None:
        conn.execute(_FIRST)
        head = conn.execute(_LOCK).one()
    month: date | None = conn.execute(_MONTH).scalar_one()
    if month is None:
        return 0
    reached: int = conn.execute(
        text(_NUMBER.format(month=month.isoformat())),
        {"last": head.last_seq, "log_hash": head.log_hash, "limit": limit},
    ).scalar_one()
    return reached - int(head.last_seq)
