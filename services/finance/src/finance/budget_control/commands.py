"""Drawing on budgets: every entry of the ledger that spends of a category does so here, under the budget's row lock.

Rows are locked in the order of their ids, or of the plans they belong to, after the month is held open, so that
documents never wait for each other in a ring. What is spent draws on the department's budget, else on the branch's.
Source: F20, lesson I32
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from finance import budgets
from finance.book import book_of
from finance.budget_control.events import budget_exceeded
from finance.budget_control.rules import (
    MAY_BE_REFUSED,
    OVERRUN_ROLES,
    RESERVED_BEFORE,
    OverrunNotApproved,
    Unbudgeted,
)
from finance.budget_control.tables import overrun_decisions
from finance.budgets import DRAWN, BudgetExceeded, Move
from finance.expense_categories import NO_SPENDING, spent_by_category
from finance.kernel.posting import PostingLine
from finance.ledger import ENTRIES, NewEntry
from shared import audit, outbox
from shared.approvals import Approval, Decision, decide_and_store
from shared.clock import business_date
from shared.transaction import Tx

UNDOES_ITS_SOURCE = "bank_undone"


def draw(tx: Tx, entry: NewEntry, charged_to: tuple[str, str]) -> None:
    """Let an entry that is about to be posted draw on the budgets of what it spends; a correction gives back.

    Raises Unbudgeted, BudgetExceeded and OverrunNotApproved for what may be refused.
    """
    kind = entry.kind
    if kind in NO_SPENDING or kind in RESERVED_BEFORE:
        return
    spent = spent_by_category(book_of(tx.conn).chart, entry.postings, entry.booked_on)
    if not spent:
        return
    source = UUID(entry.source_id)
    if entry.corrects_id is not None or kind == UNDOES_ITS_SOURCE:
        _give_back(tx, kind, source, entry.booked_on, _corrected(tx, entry.corrects_id) or source)
        return
    covers, bare = budgets.covering(tx, entry.branch_id, charged_to, spent, entry.booked_on)
    needs = _needs(spent, covers)
    if kind in MAY_BE_REFUSED and bare:
        raise Unbudgeted(
            "no budget of this campaign, or only departments have one of this category; name the one that spends",
            categories=bare,
        )
    _require_room(tx, kind, source, needs)
    moves = [
        Move(budget_id, source, actual_fen=spent[name], category=name, booked_on=entry.booked_on)
        for name, budget_id in covers.items()
        if budget_id is not None
    ]
    budgets.move_all(tx, kind, moves)
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
    covers, bare = budgets.covering(tx, branch_id, charged_to, spent, booked_on, hold=False)
    warned: list[dict[str, Any]] = [
        {"code": Unbudgeted.code, "category": name, "budget_id": None} for name in bare
    ]
    needs = _needs(spent, covers)
    for budget in budgets.locked(tx, list(needs), hold=False):
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
    """The document whose entry is corrected."""
    found: UUID | None = tx.conn.execute(
        text(f"select e.source_id from {ENTRIES} e where e.id = :id"), {"id": entry_id}
    ).scalar_one_or_none()
    return found


def _give_back(tx: Tx, kind: str, source: UUID, booked_on: date, corrected: UUID) -> None:
    """Return to each budget what the corrected document drew on it; what drew on none returns to none.

    Who reverses what had given back spends anew, within the budget.
    """
    drawn = tx.conn.execute(
        text(
            f"select m.budget_id, m.category, sum(m.actual_fen)::bigint as fen from {DRAWN} m"
            " where m.source_id = :source group by m.budget_id, m.category order by m.budget_id"
        ),
        {"source": corrected},
    ).all()
    needs: dict[UUID, int] = {}
    for row in drawn:
        needs[row.budget_id] = needs.get(row.budget_id, 0) - row.fen
    _require_room(tx, kind, source, needs)
    moves = [
        Move(row.budget_id, source, actual_fen=-row.fen, category=row.category, booked_on=booked_on)
        for row in drawn
    ]
    budgets.move_all(tx, kind, moves)
    tell_exceeded(tx, kind, source, [budget_id for budget_id, fen in needs.items() if fen > 0])


def _require_room(tx: Tx, kind: str, source: UUID, needs: Mapping[UUID, int]) -> None:
    """Lock the budgets, and hold them against what may be refused. Raises BudgetExceeded, OverrunNotApproved."""
    held = budgets.locked(tx, list(needs))
    if kind not in MAY_BE_REFUSED:
        return
    over = budgets.overruns(held, {str(key): fen for key, fen in needs.items()})
    if over and not _is_let_through(tx, source):
        raise OverrunNotApproved(
            "finance head and management have not let this exceed its budget", budgets=sorted(over)
        )


def tell_exceeded(tx: Tx, source_kind: str, source_id: UUID, budget_ids: Sequence[UUID]) -> None:
    """Publish for each of these budgets that holds less than nothing now."""
    for budget in budgets.locked(tx, budget_ids):
        if budget.available_fen >= 0:
            continue
        told = budgets.exceeded(tx, UUID(budget.budget_id))
        day = business_date(tx.now)
        outbox.append(tx, budget_exceeded(told, source_kind=source_kind, source_id=source_id, day=day))


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
