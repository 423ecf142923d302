"""Give committed outbox rows a contiguous number per service: the order every consumer and every ledger counts by.

Numbers are given after the commit and rows are chosen by flag (`seq is null`), never by a cursor on the id, so a
transaction that commits late with a low id simply gets a later number: nothing can be skipped, nothing burnt.
Any number of sequencers may run; they queue on the one row of `outbox_head`.
"""

from sqlalchemy import Connection, text

BATCH_ROWS = 1_000
BACKLOG_ROWS = 5_000
"""A larger turn pays off only when that many rows wait."""

_LOCK = text("select last_seq from outbox_head where one = 1 for update")
_FIRST = text("insert into outbox_head (one, last_seq) values (1, 0) on conflict do nothing")
# Rows of one aggregate were inserted in commit order (outbox.append says so), hence `order by id`.
_NUMBER = text(
    """
    with batch as materialized (
        select id, row_number() over (order by id) as n
        from (select id from outbox where seq is null order by id limit :limit) as waiting
    ), numbered as (
        update outbox o set seq = :last + batch.n from batch where o.id = batch.id
        returning o.day, o.type, o.amount_fen
    ), totals as (
        insert into outbox_totals as t (day, type, events, amount_fen)
        select day, type, count(*), sum(amount_fen) from numbered group by day, type
        on conflict (day, type) do update
        set events = t.events + excluded.events, amount_fen = t.amount_fen + excluded.amount_fen
    )
    update outbox_head set last_seq = last_seq + (select count(*) from numbered) where one = 1
    returning last_seq
    """
)


def number_events(conn: Connection, limit: int = BATCH_ROWS) -> int:
    """Number up to `limit` committed rows in the caller's (short) transaction and return how many.

    The head is locked by a statement of its own: the numbering statement then has a snapshot taken after the
    lock, so it sees what an earlier holder numbered. Day totals are kept in the same transaction.
    """
    last = conn.execute(_LOCK).scalar()
    if last is None:
        conn.execute(_FIRST)
        last = conn.execute(_LOCK).scalar_one()
    head: int = conn.execute(_NUMBER, {"last": last, "limit": limit}).scalar_one()
    return head - int(last)
