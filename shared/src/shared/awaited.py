"""What was asked for and is not here is refused only after a head from after the question.

An id of ours tells by itself when it was made (shared.watermark); a receipt's number, the points of a member, the
credit and the permission of a customer of long ago do not. So the first question is remembered and answered 503;
whoever asks again is answered by the first head that was asked for well after it: what was there when somebody asked
is here by then. One beat of heads is awaited, however often is asked meanwhile. A final answer is forgotten again: the
next question may be about something newer.
A question belongs to who asked it: what was said since somebody else asked, and gave up, is awaited for the next one.

Of what is unknown the source must have told all. What it said before and says no (`is_last_word`) needs no more than
the time to say something else: after WORD_AWAITED_MAX its last word stands, though the source is silent, as a last
word that says yes stands.

The edge that runs the command writes what was asked (`note`) when it has ended, in a transaction of its own and in
one order, so that no two wait for each other. The command itself writes and locks nothing.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from shared import watermark
from shared.database import Database
from shared.transaction import Tx

UNDER_WAY = timedelta(seconds=2)
"""What was under way when somebody asked is committed within that time."""
WORD_AWAITED_MAX = timedelta(seconds=20)
"""Readers of feeds ask for the head of a quiet source every 15 s, consumers every 5 s."""
ASKED_AGO_MAX = timedelta(seconds=60)
"""Who asks again later asks anew."""
KEPT_MAX = timedelta(minutes=10)
"""A question that counts no more is forgotten then; longer than ASKED_AGO_MAX, so that none is forgotten that counts."""

_ASKED = text(
    "select coalesce(a.asked_at, now.t) as asked_at, now.t - coalesce(a.asked_at, now.t) as ago"
    " from (select clock_timestamp() as t) as now left join awaited a"
    " on a.source = :source and a.what = :what and a.asked_at > now.t - :ago"
)
_REMEMBER = text(
    "insert into awaited (source, what) select * from unnest(cast(:sources as text[]), cast(:whats as text[])) as x"
    " order by 1, 2 on conflict (source, what) do update"
    " set asked_at = excluded.asked_at where awaited.asked_at <= clock_timestamp() - :ago"
)
_FORGET = text(
    "delete from awaited where (source, what) in (select a.source, a.what from awaited a"
    " join unnest(cast(:sources as text[]), cast(:whats as text[])) as x(source, what) using (source, what)"
    " order by 1, 2 for update of a)"
)
_FORGET_OLD = text(
    "delete from awaited where ctid = any(array(select ctid from awaited"
    " where asked_at < clock_timestamp() - cast(:ago as interval) limit :limit))"
)


def is_unknown(
    tx: Tx, source: str, what: str, *, types: Sequence[str], about: UUID | str | None = None
) -> bool:
    """Whether `source` can tell nothing more of `what` (one key, at most 200 characters) that was there when asked for.

    While False, the caller answers 503; with True it refuses for good.
    `types` and `about` as for watermark.is_caught_up.
    """
    return _may_be_said(tx, source, what, types=types, about=about)


def is_last_word(tx: Tx, source: str, what: str, *, types: Sequence[str]) -> bool:
    """Whether what `source` said of `what` stands: it can tell nothing newer, or had WORD_AWAITED_MAX to tell it.

    As `is_unknown` otherwise.
    """
    return _may_be_said(tx, source, what, types=types, stands_after=WORD_AWAITED_MAX)


def _may_be_said(
    tx: Tx,
    source: str,
    what: str,
    *,
    types: Sequence[str],
    about: UUID | str | None = None,
    stands_after: timedelta | None = None,
) -> bool:
    """One answer for all of a transaction: a thousand receipts of a customer are one question."""
    what = f"{what} for {tx.actor.id}"
    if (source, what) in tx.asked:
        return tx.asked[source, what]
    level = watermark.level_since(tx.conn, source, types=types)
    asked_at, ago = tx.conn.execute(_ASKED, {"source": source, "what": what, "ago": ASKED_AGO_MAX}).one()
    told = (
        level is not None
        and level >= asked_at + UNDER_WAY
        and watermark.covers(level, now=tx.now, about=about)
    )
    tx.asked[source, what] = told or (stands_after is not None and ago >= stands_after)
    return tx.asked[source, what]


def note(database: Database, tx: Tx) -> None:
    """Remember what `tx`, which has ended, asked for in vain; forget what was answered for good."""
    for statement, is_final in ((_FORGET, True), (_REMEMBER, False)):
        keys = [key for key, told in tx.asked.items() if told is is_final]
        if keys:
            asked = {"sources": [key[0] for key in keys], "whats": [key[1] for key in keys]}
            with database.begin() as conn:
                conn.execute(statement, asked if is_final else {**asked, "ago": ASKED_AGO_MAX})


def forget_old(tx: Tx, limit: int) -> int:
    """Forget at most `limit` questions asked more than KEPT_MAX ago and never again; returns how many."""
    return int(tx.conn.execute(_FORGET_OLD, {"ago": KEPT_MAX, "limit": limit}).rowcount)
