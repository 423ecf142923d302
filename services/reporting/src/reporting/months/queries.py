"""Months with facts, whether they are closed, and what was told of closed ones afterwards."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, text

from reporting import facts

REVISIONS_SHOWN_MAX: Final = 500


_CLOSE = text("select * from month_closes where month = :month")
_CLOSES = text("select * from month_closes")
_REVISIONS = text(
    """
    select source, seq, day, type, branch_id, amount_fen, recorded_at, count(*) over () as of
    from ledger_revisions
    where month = :month and (:branch_id = '' or branch_id = :branch_id)
        and type like any(cast(:types as text[]))
    order by recorded_at, source, seq limit :limit
    """
)


def close_of(conn: Connection, month: date) -> dict[str, Any] | None:
    """When, by whom and with which hash the month was closed; None while it is open."""
    row = conn.execute(_CLOSE, {"month": month}).mappings().one_or_none()
    return dict(row) if row else None


def revisions_of(conn: Connection, month: date, branch_id: str, types: Sequence[str]) -> list[dict[str, Any]]:
    """The first facts of these types (patterns of `like`) that came after the close; `of` is how many there are."""
    rows = conn.execute(
        _REVISIONS,
        {"month": month, "branch_id": branch_id, "types": list(types), "limit": REVISIONS_SHOWN_MAX},
    )
    return [dict(row) for row in rows.mappings()]


def list_months(conn: Connection) -> list[dict[str, Any]]:
    """Every month with facts, newest first, with its state."""
    closed = {row["month"]: dict(row) for row in conn.execute(_CLOSES).mappings()}
    return [
        {"month": month, "state": "closed" if month in closed else "open", "close": closed.get(month)}
        for month in sorted({*facts.months_of(conn), *closed}, reverse=True)
    ]
