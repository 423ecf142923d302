"""What a command or a delivered batch of events runs in: one connection, one actor, one moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from shared.identity import Actor


def nothing() -> None:
    """There is nothing to do beside."""


@dataclass(slots=True, kw_only=True)
class Tx:
    """Passed to every command, query and event handler. The edge that made it commits; nobody else does.

    `has_events` tells the edge to wake the relay after the commit. `when_refused` is what is to be known of a command
    that ends refused: the edge runs it in a transaction of its own, after all else was undone. `asked` is what another
    service was waited for, by service and key, and whether it can tell no more: the edge notes it at the end, however
    that is (shared.awaited). `meanwhile` starts what the edge has to do beside: who has a long statement for the
    database calls it just before, as often as it likes.
    """

    conn: Connection
    actor: Actor
    now: datetime
    request_id: str | None = None
    traceparent: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    has_events: bool = False
    when_refused: Callable[[Tx], None] | None = None
    asked: dict[tuple[str, str], bool] = field(default_factory=dict)
    meanwhile: Callable[[], None] = nothing


MakeTx = Callable[[Connection], Tx]
"""What a detached view gets instead of a transaction: it opens its own, as many as it needs."""
