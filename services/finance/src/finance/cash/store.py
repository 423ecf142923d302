"""The statements that hold a branch's cash, and what commands read and write under it."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import insert, text, update

from finance.cash import rules
from finance.cash.model import Closed, Count, Drawer, Movement, Moving, Place, Resolved, Session, Variance
from finance.cash.tables import cash_counts, cash_drawers, cash_movements, cash_sessions, cash_variances
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


def add_drawer(tx: Tx, drawer: Drawer) -> None:
    tx.conn.execute(insert(cash_drawers).values(asdict(drawer)))


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


def add_session(tx: Tx, session: Session) -> None:
    tx.conn.execute(insert(cash_sessions).values(asdict(session)))


def session_held(tx: Tx, session_id: UUID) -> Session:
    """The session, its branch held. Raises SessionNotFound, also for a branch the token does not cover."""
    branch_id = tx.conn.execute(
        text("select branch_id from cash_sessions where session_id = :id"), {"id": session_id}
    ).scalar_one_or_none()
    if branch_id is None or not tx.actor.may_see(branch_id):
        raise rules.SessionNotFound("no such session")
    hold_branch(tx, branch_id)
    row = tx.conn.execute(
        text("select * from cash_sessions where session_id = :id"), {"id": session_id}
    ).one()
    return Session(
        session_id=row.session_id,
        branch_id=row.branch_id,
        drawer=row.drawer,
        till=row.till,
        state=row.state,
        float_fen=row.float_fen,
        from_safe_fen=row.from_safe_fen,
        opened_by=row.opened_by,
        opened_at=row.opened_at,
        count_began_by=row.count_began_by,
        count_began_at=row.count_began_at,
    )


def begin_count(tx: Tx, session_id: UUID) -> None:
    """Open → counting, from now on."""
    tx.conn.execute(
        update(cash_sessions)
        .where(cash_sessions.c.session_id == session_id)
        .values(state="counting", count_began_by=tx.actor.id, count_began_at=tx.now)
    )


def close_session(tx: Tx, session_id: UUID, found: Closed) -> None:
    """Counting → closed."""
    tx.conn.execute(
        update(cash_sessions)
        .where(cash_sessions.c.session_id == session_id)
        .values(state="closed", closed_by=tx.actor.id, closed_at=tx.now, **asdict(found))
    )


def add_count(tx: Tx, count: Count) -> None:
    tx.conn.execute(insert(cash_counts).values(asdict(count)))


def add_variance(tx: Tx, variance_id: UUID, place: Place, fen: int, involved: Sequence[str]) -> None:
    """What a count found today; it has the id of the session or of the count."""
    tx.conn.execute(
        insert(cash_variances).values(
            variance_id=variance_id,
            branch_id=place.branch_id,
            drawer=place.drawer,
            found_on=business_date(tx.now),
            fen=fen,
            involved=list(involved),
        )
    )


def resolve(tx: Tx, variance_id: UUID, resolved: Resolved) -> None:
    """The variance, and the session where it is of one."""
    tx.conn.execute(
        update(cash_variances)
        .where(cash_variances.c.variance_id == variance_id)
        .values(
            outcome=resolved.outcome,
            person=resolved.person,
            reason=resolved.reason,
            resolved_by=tx.actor.id,
            resolved_role=resolved.role,
            resolved_at=tx.now,
        )
    )
    tx.conn.execute(
        text("update cash_sessions set state = 'resolved' where session_id = :id"), {"id": variance_id}
    )


def variance_locked(tx: Tx, variance_id: UUID) -> Variance:
    """Raises VarianceNotFound, also for a branch the token does not cover."""
    row = tx.conn.execute(
        text("select * from cash_variances where variance_id = :id for update"), {"id": variance_id}
    ).one_or_none()
    if row is None or not tx.actor.may_see(row.branch_id):
        raise rules.VarianceNotFound("no such variance")
    return Variance(
        variance_id=row.variance_id,
        branch_id=row.branch_id,
        found_on=row.found_on,
        fen=row.fen,
        involved=row.involved,
        outcome=row.outcome,
    )


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


def add_movement(tx: Tx, branch_id: str, session_id: UUID | None, moving: Moving, fen: int) -> Movement:
    """`fen` is what it does to the place, with its sign."""
    movement = Movement(
        movement_id=new_id(),
        branch_id=branch_id,
        session_id=session_id,
        kind=moving.kind,
        fen=fen,
        reason=moving.reason,
        reference=moving.reference,
        note=moving.note,
        refund_id=moving.refund_id,
        made_by=tx.actor.id,
        made_at=tx.now,
    )
    tx.conn.execute(insert(cash_movements).values(asdict(movement)))
    return movement


def has_paid(tx: Tx, refund_id: UUID) -> bool:
    """Whether a drawer's movement says that it paid the refund's cash."""
    found = tx.conn.execute(
        text("select 1 from cash_movements where refund_id = :refund_id"), {"refund_id": refund_id}
    )
    return found.first() is not None
