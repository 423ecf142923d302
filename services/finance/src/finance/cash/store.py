"""The statements that hold a branch's cash, and what commands read under it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from finance.cash import rules
from finance.cash.rules import Kind
from finance.cash.tables import cash_movements
from shared.clock import business_date, new_id
from shared.transaction import Tx


def is_taken(tx: Tx, branch_id: str, drawer: str, till: str) -> bool:
    """Whether the branch has a drawer of this name, or one for this till."""
    found = tx.conn.execute(
        text(
            "select 1 from cash_drawers where branch_id = :branch_id and (drawer = :drawer or till = :till)"
        ),
        {"branch_id": branch_id, "drawer": drawer, "till": till},
    )
    return found.first() is not None


def till_of(tx: Tx, branch_id: str, drawer: str) -> str:
    """The till that posts the drawer's sales. Raises DrawerNotFound."""
    till: str | None = tx.conn.execute(
        text("select till from cash_drawers where branch_id = :branch_id and drawer = :drawer"),
        {"branch_id": branch_id, "drawer": drawer},
    ).scalar_one_or_none()
    if till is None:
        raise rules.DrawerNotFound("the branch has no such drawer")
    return till


def carried_fen(tx: Tx, branch_id: str, drawer: str) -> int:
    """What the last session left in the drawer. Raises SessionOpen."""
    last = tx.conn.execute(
        text(
            "select state, carried_fen from cash_sessions where branch_id = :branch_id and drawer = :drawer"
            " order by closed_at desc nulls first limit 1"
        ),
        {"branch_id": branch_id, "drawer": drawer},
    ).one_or_none()
    if last is not None and last.state in {"open", "counting"}:
        raise rules.SessionOpen("the drawer is open")
    return 0 if last is None else int(last.carried_fen)


def hold_branch(tx: Tx, branch_id: str) -> None:
    """Raises ForeignBranch. The lock is held until the command commits."""
    tx.actor.require_branch(branch_id)
    tx.conn.execute(
        text("select pg_advisory_xact_lock(hashtextextended('finance:cash:' || :branch_id, 0))"),
        {"branch_id": branch_id},
    )


def session_held(tx: Tx, session_id: UUID) -> dict[str, Any]:
    """The session, its branch held. Raises SessionNotFound, also for a branch the token does not cover."""
    branch_id = tx.conn.execute(
        text("select branch_id from cash_sessions where session_id = :id"), {"id": session_id}
    ).scalar_one_or_none()
    if branch_id is None or not tx.actor.may_see(branch_id):
        raise rules.SessionNotFound("no such session")
    hold_branch(tx, branch_id)
    row = tx.conn.execute(text("select * from cash_sessions where session_id = :id"), {"id": session_id})
    return dict(row.mappings().one())


def safe_keepers(tx: Tx, branch_id: str) -> list[str]:
    """Who moved money of the branch on the same business day."""
    rows = tx.conn.execute(
        text(
            "select distinct made_by from cash_movements where branch_id = :branch_id"
            " and (made_at at time zone 'Asia/Shanghai')::date = :today"
            " union select distinct opened_by from cash_sessions where branch_id = :branch_id"
            " and (opened_at at time zone 'Asia/Shanghai')::date = :today"
        ),
        {"branch_id": branch_id, "today": business_date(tx.now)},
    )
    return [row.made_by for row in rows]


def add_movement(
    tx: Tx, branch_id: str, session_id: UUID | None, kind: Kind, fen: int, body: Mapping[str, Any]
) -> dict[str, Any]:
    values = {
        "movement_id": new_id(),
        "branch_id": branch_id,
        "session_id": session_id,
        "kind": kind.value,
        "fen": fen,
        "reason": body.get("reason"),
        "reference": body.get("reference"),
        "note": body.get("note"),
        "refund_id": body.get("refund_id"),
        "made_by": tx.actor.id,
        "made_at": tx.now,
    }
    tx.conn.execute(insert(cash_movements).values(values))
    return values


def has_paid(tx: Tx, refund_id: UUID) -> bool:
    """Whether a drawer's movement says that it paid the refund's cash."""
    found = tx.conn.execute(
        text("select 1 from cash_movements where refund_id = :refund_id"), {"refund_id": refund_id}
    )
    return found.first() is not None
