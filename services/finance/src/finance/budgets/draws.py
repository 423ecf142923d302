"""Drawing on budgets: every entry of the ledger that spends of a category does so here, under the budget's row lock.

Rows are locked in the order of their ids, or of the plans they belong to, after the month is held open, so that
documents never wait for each other in a ring. What is spent draws on the department's budget, else on the branch's.
Source: F20, lesson I32
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, insert, select, text, update

from finance.book import book_of
from finance.budgets.events import budget_exceeded
from finance.budgets.rules import (
    MAY_BE_REFUSED,
    NO_SPENDING,
    OVERRUN_ROLES,
    RESERVED_BEFORE,
    Budget,
    BudgetExceeded,
    OverrunNotApproved,
    Unbudgeted,
    overruns,
    spent_by_category,
)
from finance.budgets.tables import budgets, movements, overrun_decisions
from finance.kernel.posting import PostingLine
from shared import audit, outbox
from shared.approvals import Approval, Decision, decide_and_store
from shared.clock import business_date
from shared.transaction import Tx

UNDOES_ITS_SOURCE = "bank_undone"


def draw(
    tx: Tx,
    kind: str,
    source_id: str,
    branch_id: str,
    charged_to: tuple[str, str],
    booked_on: date,
    postings: Sequence[PostingLine],
    corrects_id: int | None,
) -> None:
    """Let an entry that is about to be posted draw on the budgets of what it spends; a correction gives back.

    Raises Unbudgeted, BudgetExceeded and OverrunNotApproved for what may be refused.
    """
    if kind in NO_SPENDING or kind in RESERVED_BEFORE:
        return
    spent = spent_by_category(book_of(tx.conn).chart, postings, booked_on)
    if not spent:
        return
    source = UUID(source_id)
    if corrects_id is not None or kind == UNDOES_ITS_SOURCE:
        _give_back(tx, kind, source, booked_on, _corrected(tx, corrects_id) or source)
        return
    covers = {name: covering(tx, branch_id, charged_to, name, booked_on) for name in spent}
    needs = _needs(spent, covers)
    if kind in MAY_BE_REFUSED:
        bare = _uncovered(tx, branch_id, charged_to, booked_on, covers)
        if bare:
            raise Unbudgeted(
                "no budget of this campaign, or only departments have one of this category; name the one that spends",
                categories=bare,
            )
    _require_room(tx, kind, source, needs)
    for name, budget_id in covers.items():
        if budget_id is not None:
            spend(tx, budget_id, kind, source, spent[name], category=name, booked_on=booked_on)
    tell_exceeded(tx, kind, source, [budget_id for budget_id, fen in needs.items() if fen > 0])


def foreseen(
    tx: Tx,
    source_id: UUID,
    branch_id: str,
    charged_to: tuple[str, str],
    booked_on: date,
    postings: Sequence[PostingLine],
) -> list[dict[str, Any]]:
    """What `draw` would refuse if the document were posted now, by the codes of its refusals (I32)."""
    spent = spent_by_category(book_of(tx.conn).chart, postings, booked_on)
    covers = {name: covering(tx, branch_id, charged_to, name, booked_on, hold=False) for name in spent}
    bare = _uncovered(tx, branch_id, charged_to, booked_on, covers)
    warned: list[dict[str, Any]] = [
        {"code": Unbudgeted.code, "category": name, "budget_id": None} for name in bare
    ]
    needs = _needs(spent, covers)
    for budget in _budgets(tx, list(needs)):
        need = needs[UUID(budget.budget_id)]
        if need <= 0 or need <= budget.available_fen:
            continue
        if budget.overrun == "approval" and _is_let_through(tx, source_id):
            continue
        code = BudgetExceeded.code if budget.overrun == "stop" else OverrunNotApproved.code
        warned.append({"code": code, "category": None, "budget_id": UUID(budget.budget_id)})
    return warned


def _needs(spent: Mapping[str, int], covers: Mapping[str, UUID | None]) -> dict[UUID, int]:
    needs: dict[UUID, int] = {}
    for name, budget_id in covers.items():
        if budget_id is not None:
            needs[budget_id] = needs.get(budget_id, 0) + spent[name]
    return needs


def _corrected(tx: Tx, entry_id: int | None) -> UUID | None:
    found: UUID | None = tx.conn.execute(
        text("select source_id from journal_entries where id = :id"), {"id": entry_id}
    ).scalar_one_or_none()
    return found


def _give_back(tx: Tx, kind: str, source: UUID, booked_on: date, corrected: UUID) -> None:
    """Return to each budget what the corrected document drew on it; what drew on none returns to none.

    Who reverses what had given back spends anew, within the budget.
    """
    drawn = tx.conn.execute(
        select(movements.c.budget_id, movements.c.category, func.sum(movements.c.actual_fen).label("fen"))
        .where(movements.c.source_id == corrected, movements.c.booked_on.is_not(None))
        .group_by(movements.c.budget_id, movements.c.category)
        .order_by(movements.c.budget_id)
    ).all()
    needs: dict[UUID, int] = {}
    for row in drawn:
        needs[row.budget_id] = needs.get(row.budget_id, 0) - int(row.fen)
    _require_room(tx, kind, source, needs)
    for row in drawn:
        spend(tx, row.budget_id, kind, source, -int(row.fen), category=row.category, booked_on=booked_on)
    tell_exceeded(tx, kind, source, [budget_id for budget_id, fen in needs.items() if fen > 0])


def _require_room(tx: Tx, kind: str, source: UUID, needs: Mapping[UUID, int]) -> None:
    """Lock the budgets, and hold them against what may be refused. Raises BudgetExceeded, OverrunNotApproved."""
    held = locked(tx, list(needs))
    if kind not in MAY_BE_REFUSED:
        return
    over = overruns(held, {str(key): fen for key, fen in needs.items()})
    if over and not _is_let_through(tx, source):
        raise OverrunNotApproved(
            "finance head and management have not let this exceed its budget", budgets=sorted(over)
        )


def covering(
    tx: Tx, branch_id: str, charged_to: tuple[str, str], category: str, day: date, *, hold: bool = True
) -> UUID | None:
    """The budget that pays: the campaign's while its plan is not closed, else the department's, else the branch's.

    `charged_to` is the department and the campaign, '' where there is none. With `hold` a campaign's plan is kept
    from being closed until the transaction ends; who only looks ahead may be reading, and holds nothing.
    """
    department, campaign = charged_to
    if campaign and hold:
        tx.conn.execute(
            text("select 1 from promotion_plans where code = :code for share"), {"code": campaign}
        )
    found: UUID | None = tx.conn.execute(
        text(
            "select budget_id from budgets b where branch_id = :branch and campaign = :campaign"
            " and first_day <= :day and last_day >= :day"
            " and (campaign <> '' or (category = :category and department in (:department, '')))"
            " and not exists (select from promotion_plans p where p.budget_id = b.budget_id and p.state = 'closed')"
            " order by department desc limit 1"
        ),
        {
            "branch": branch_id,
            "campaign": campaign,
            "day": day,
            "category": category,
            "department": department,
        },
    ).scalar_one_or_none()
    return found


def _uncovered(
    tx: Tx, branch_id: str, charged_to: tuple[str, str], day: date, covers: Mapping[str, UUID | None]
) -> list[str]:
    """Categories that no budget covers though one should: a campaign's, or where another department has one that day.

    Where a branch has any budget of a category on a day, all of it is under budget.
    """
    bare = sorted(name for name, budget_id in covers.items() if budget_id is None)
    if not bare or charged_to[1]:
        return bare
    found = tx.conn.execute(
        text(
            "select distinct category from budgets where branch_id = :branch and category = any(:names)"
            " and first_day <= :day and last_day >= :day order by category"
        ),
        {"branch": branch_id, "names": bare, "day": day},
    )
    return [row.category for row in found]


def locked(tx: Tx, budget_ids: Sequence[UUID]) -> list[Budget]:
    """The budgets as they are, held until the transaction ends; always taken in one order."""
    return _budgets(tx, budget_ids, lock=True)


def _budgets(tx: Tx, budget_ids: Sequence[UUID], *, lock: bool = False) -> list[Budget]:
    if not budget_ids:
        return []
    wanted = select(budgets).where(budgets.c.budget_id.in_(budget_ids)).order_by(budgets.c.budget_id)
    rows = tx.conn.execute(wanted.with_for_update() if lock else wanted)
    return [
        Budget(
            budget_id=str(row["budget_id"]),
            amount_fen=row["amount_fen"],
            reserved_fen=row["reserved_fen"],
            actual_fen=row["actual_fen"],
            overrun=row["overrun"],
        )
        for row in rows.mappings()
    ]


def spend(
    tx: Tx,
    budget_id: UUID,
    kind: str,
    source_id: UUID,
    fen: int,
    *,
    category: str,
    booked_on: date,
    reserved_fen: int = 0,
) -> None:
    """An entry of `booked_on` spends `fen` of a category; of what its document had reserved, `reserved_fen` ends."""
    _move(
        tx,
        budget_id,
        {
            "source_kind": kind,
            "source_id": source_id,
            "reserved_fen": -reserved_fen,
            "actual_fen": fen,
            "category": category,
            "booked_on": booked_on,
        },
    )


def move(
    tx: Tx, budget_id: UUID, source_kind: str, source_id: UUID, *, reserved_fen: int = 0, actual_fen: int = 0
) -> None:
    """Change the counters of a budget without an entry. The caller checked what is available under the lock."""
    _move(
        tx,
        budget_id,
        {
            "source_kind": source_kind,
            "source_id": source_id,
            "reserved_fen": reserved_fen,
            "actual_fen": actual_fen,
        },
    )


class Move(NamedTuple):
    """How the counters of a budget change by one document, without an entry."""

    budget_id: UUID
    source_id: UUID
    reserved_fen: int = 0
    actual_fen: int = 0


def move_all(tx: Tx, source_kind: str, moves: Sequence[Move]) -> None:
    """As `move`, of many documents at once; what moves nothing leaves no trace."""
    kept = [each for each in moves if each.reserved_fen or each.actual_fen]
    if not kept:
        return
    sums: dict[UUID, list[int]] = {}
    for each in kept:
        of_budget = sums.setdefault(each.budget_id, [0, 0])
        of_budget[0] += each.reserved_fen
        of_budget[1] += each.actual_fen
    tx.conn.execute(
        text(
            "update budgets b set reserved_fen = b.reserved_fen + u.reserved, actual_fen = b.actual_fen + u.actual"
            " from unnest(cast(:ids as uuid[]), cast(:reserved as bigint[]), cast(:actual as bigint[]))"
            " as u(id, reserved, actual) where b.budget_id = u.id"
        ),
        {
            "ids": list(sums),
            "reserved": [fen for fen, _ in sums.values()],
            "actual": [fen for _, fen in sums.values()],
        },
    )
    tx.conn.execute(
        text(
            "insert into budget_movements (budget_id, source_kind, source_id, reserved_fen, actual_fen, actor, at)"
            " select u.budget_id, :kind, u.source_id, u.reserved, u.actual, :actor, :now"
            " from unnest(cast(:budgets as uuid[]), cast(:sources as uuid[]), cast(:reserved as bigint[]),"
            " cast(:actual as bigint[])) with ordinality as u(budget_id, source_id, reserved, actual, n) order by u.n"
        ),
        {
            "kind": source_kind,
            "actor": tx.actor.id,
            "now": tx.now,
            "budgets": [each.budget_id for each in kept],
            "sources": [each.source_id for each in kept],
            "reserved": [each.reserved_fen for each in kept],
            "actual": [each.actual_fen for each in kept],
        },
    )


def _move(tx: Tx, budget_id: UUID, row: Mapping[str, Any]) -> None:
    if not row["reserved_fen"] and not row["actual_fen"]:
        return
    tx.conn.execute(
        update(budgets)
        .where(budgets.c.budget_id == budget_id)
        .values(
            reserved_fen=budgets.c.reserved_fen + row["reserved_fen"],
            actual_fen=budgets.c.actual_fen + row["actual_fen"],
        )
    )
    tx.conn.execute(insert(movements).values(budget_id=budget_id, actor=tx.actor.id, at=tx.now, **row))


def tell_exceeded(tx: Tx, source_kind: str, source_id: UUID, budget_ids: Sequence[UUID]) -> None:
    """Publish for each of these budgets that holds less than nothing now."""
    for budget in locked(tx, budget_ids):
        if budget.available_fen >= 0:
            continue
        told = tx.conn.execute(
            update(budgets)
            .where(budgets.c.budget_id == UUID(budget.budget_id))
            .values(exceeded=budgets.c.exceeded + 1)
            .returning(budgets)
        ).mappings()
        day = business_date(tx.now)
        outbox.append(
            tx, budget_exceeded(dict(told.one()), source_kind=source_kind, source_id=source_id, day=day)
        )


# --- letting a budget be exceeded -------------------------------------------------------------------


def decide_overrun(
    tx: Tx,
    source_kind: str,
    source_id: UUID,
    *,
    excluded: frozenset[str],
    subject_hash: str,
    approved: bool,
    reason: str | None,
) -> tuple[str, Decision]:
    """One word of finance head or management on a document's overrun, and the state it leads to.

    The caller holds the document's row. Raises the refusals of shared.approvals.
    """
    decision, state = decide_and_store(
        tx,
        overrun_decisions,
        {"source_id": source_id, "source_kind": source_kind},
        Approval(required=OVERRUN_ROLES, excluded=excluded, subject_hash=subject_hash),
        approved=approved,
        reason=reason,
    )
    audit.record(tx, f"{source_kind}.decide_overrun", str(source_id), after=[decision.role, approved])
    return state, decision


def _is_let_through(tx: Tx, source_id: UUID) -> bool:
    rows = tx.conn.execute(
        select(overrun_decisions.c.role).where(
            overrun_decisions.c.source_id == source_id, overrun_decisions.c.approved
        )
    )
    return {row.role for row in rows} >= OVERRUN_ROLES
