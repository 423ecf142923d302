"""What was asked for and is not here is refused only after a head from after the question.

An id of ours tells by itself when it was made (shared.watermark); a receipt's number, the credit of a customer of long
ago and the points of a member do not. So the first question is remembered and answered 503; whoever asks again is
answered by the first head that was asked for well after it: what was there when somebody asked is here by then. One
beat of heads is awaited, however often is asked meanwhile. A final answer is forgotten again: the next question may be
about something newer.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import text

from shared import watermark
from shared.transaction import Tx

NUMBERED_WITHIN = timedelta(seconds=2)
"""A producer gives a committed event its number within that time: its head tells of it then."""
ASKED_AGO_MAX = timedelta(seconds=60)
"""Who asks again later asks anew."""

_ASKED_AT = text(
    "select coalesce((select asked_at from awaited where source = :source and what = :what"
    " and asked_at > clock_timestamp() - :ago), clock_timestamp())"
)
_REMEMBER = text(
    "insert into awaited (source, what) values (:source, :what) on conflict (source, what) do update"
    " set asked_at = excluded.asked_at where awaited.asked_at <= clock_timestamp() - :ago"
)
_FORGET = text("delete from awaited where source = :source and what = :what")


def is_unknown(
    tx: Tx, source: str, what: str, *, types: Sequence[str], about: UUID | str | None = None
) -> bool:
    """Whether `source` can tell nothing more of `what` (one key, at most 200 characters) that was there when asked for.

    While False, the caller refuses with a 503, and the question is remembered when the command has ended. With True
    the caller refuses for good, and the question is forgotten; a caller that commits its refusal calls `forget`.
    `types` and `about` as for watermark.is_caught_up.
    """
    level = watermark.level_since(tx.conn, source, types=types)
    asked_at = tx.conn.execute(_ASKED_AT, {"source": source, "what": what, "ago": ASKED_AGO_MAX}).scalar_one()
    told = (
        level is not None
        and watermark.covers(level, now=tx.now, about=about)
        and level >= asked_at + NUMBERED_WITHIN
    )
    tx.when_refused.append(partial(forget if told else _remember, source=source, what=what))
    return told


def forget(tx: Tx, source: str, what: str) -> None:
    """It was answered for good."""
    tx.conn.execute(_FORGET, {"source": source, "what": what})


def _remember(tx: Tx, source: str, what: str) -> None:
    tx.conn.execute(_REMEMBER, {"source": source, "what": what, "ago": ASKED_AGO_MAX})
