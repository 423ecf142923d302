"""Drawing on budgets: every entry of the ledger that spends of a category does so here, under the budget's row lock.

Rows are locked in the order of their ids, or of the plans they belong to, after the month is held open, so that
documents never wait for each other in a ring. What is spent draws on the department's budget, else on the branch's.
Source: F20, lesson I32
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from finance import budgets
from finance.book import book_of
from finance.budget_control import store
from finance.budget_control.events import budget_exceeded
from finance.budget_control.rules import (
    MAY_BE_REFUSED,
    OVERRUN_ROLES,
    RESERVED_BEFORE,
    Foreseen,
    Overrunning,
    OverrunNotApproved,
    Unbudgeted,
)
from finance.budget_control.tables import overrun_decisions
from finance.budgets import BudgetExceeded, Move
from finance.expense_categories import NO_SPENDING, Charge, spent_by_category
from finance.kernel.posting import PostingLine
from finance.ledger import NewEntry
from shared import audit, outbox
from shared.approvals import Approval, Decision, decide_and_store, decisions_by_subject
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
        corrected = store.source_of_entry(tx, entry.corrects_id) or source
        _give_back(tx, kind, source, entry.booked_on, corrected)
        return
    covers, bare = _covering(tx, entry.branch_id, charged_to, spent, entry.booked_on)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """A document that would be posted: it charges a department and a campaign, '' where it names none."""

    source_id: UUID
    branch_id: str
    department: str
    campaign: str
    booked_on: date
    postings: Sequence[PostingLine]


def foreseen(tx: Tx, documents: Sequence[Spending]) -> list[list[Foreseen]]:
    """What `draw` would refuse of each document if it alone were posted now, by the codes of its refusals (I32).

    Three statements for all of them; nothing is held.
    """
    chart = book_of(tx.conn).chart
    spent = [spent_by_category(chart, each.postings, each.booked_on) for each in documents]
    charges = [
        Charge(each.branch_id, each.department, each.campaign, name, each.booked_on)
        for each, of_it in zip(documents, spent, strict=True)
        for name in of_it
    ]
    covered = iter(budgets.covering(tx, charges, hold=False))
    covers = [{name: next(covered) for name in of_it} for of_it in spent]
    needs = [
        _needs(of_it, {name: by.budget_id for name, by in paid.items()})
        for of_it, paid in zip(spent, covers, strict=True)
    ]
    wanted = sorted({budget_id for of_it in needs for budget_id in of_it})
    room = {
        UUID(each.budget_id): (each.available_fen, each.overrun)
        for each in budgets.locked(tx, wanted, hold=False)
    }
    let_through = _let_through(tx, [each.source_id for each in documents])
    return [
        [
            *(Foreseen(Unbudgeted.code, category=name) for name, by in sorted(of_it.items()) if by.is_bare),
            *_short(room, need, is_let_through=each.source_id in let_through),
        ]
        for each, of_it, need in zip(documents, covers, needs, strict=True)
    ]


def _short(
    room: Mapping[UUID, tuple[int, str]], needs: Mapping[UUID, int], *, is_let_through: bool
) -> Iterator[Foreseen]:
    """`room` is what each budget has left, and how it answers an overrun."""
    for budget_id, need in sorted(needs.items()):
        available_fen, overrun = room[budget_id]
        if need <= 0 or need <= available_fen:
            continue
        if overrun == "stop":
            yield Foreseen(BudgetExceeded.code, budget_id=budget_id)
        elif not is_let_through:
            yield Foreseen(OverrunNotApproved.code, budget_id=budget_id)


def _covering(
    tx: Tx, branch_id: str, charged_to: tuple[str, str], spent: Mapping[str, int], day: date
) -> tuple[dict[str, UUID | None], list[str]]:
    """The budget that pays for each category, and the categories that none pays for though one should."""
    charges = [Charge(branch_id, *charged_to, name, day) for name in spent]
    found = dict(zip(spent, budgets.covering(tx, charges), strict=True))
    bare = sorted(name for name, each in found.items() if each.is_bare)
    return {name: each.budget_id for name, each in found.items()}, bare


def _needs(spent: Mapping[str, int], covers: Mapping[str, UUID | None]) -> dict[UUID, int]:
    needs: dict[UUID, int] = {}
    for name, budget_id in covers.items():
        if budget_id is not None:
            needs[budget_id] = needs.get(budget_id, 0) + spent[name]
    return needs


def _give_back(tx: Tx, kind: str, source: UUID, booked_on: date, corrected: UUID) -> None:
    """Return to each budget what the corrected document drew on it; what drew on none returns to none.

    Who reverses what had given back spends anew, within the budget.
    """
    drawn = store.drawn_by(tx, corrected)
    needs: dict[UUID, int] = {}
    for each in drawn:
        needs[each.budget_id] = needs.get(each.budget_id, 0) - each.fen
    _require_room(tx, kind, source, needs)
    moves = [
        Move(each.budget_id, source, actual_fen=-each.fen, category=each.category, booked_on=booked_on)
        for each in drawn
    ]
    budgets.move_all(tx, kind, moves)
    tell_exceeded(tx, kind, source, [budget_id for budget_id, fen in needs.items() if fen > 0])


def _require_room(tx: Tx, kind: str, source: UUID, needs: Mapping[UUID, int]) -> None:
    """Lock the budgets, and hold them against what may be refused. Raises BudgetExceeded, OverrunNotApproved."""
    held = budgets.locked(tx, list(needs))
    if kind not in MAY_BE_REFUSED:
        return
    over = budgets.overruns(held, {str(key): fen for key, fen in needs.items()})
    if over and not _let_through(tx, [source]):
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
        outbox.append(
            tx,
            budget_exceeded(
                budget_id=told.budget_id,
                branch_id=told.branch_id,
                department=told.department,
                category=told.category,
                campaign=told.campaign,
                amount_fen=told.amount_fen,
                over_fen=told.over_fen,
                times=told.times,
                source_kind=source_kind,
                source_id=source_id,
                day=day,
            ),
        )


def decide_overrun(
    tx: Tx, document: Overrunning, *, approved: bool, reason: str | None
) -> tuple[str, Decision]:
    """One word of finance head or management on a document's overrun, and the state it leads to.

    The caller holds the document's row. Raises the refusals of shared.approvals.
    """
    decision, state = decide_and_store(
        tx,
        overrun_decisions,
        {"source_id": document.source_id, "source_kind": document.kind},
        Approval(
            required=OVERRUN_ROLES,
            excluded=frozenset({document.asked_by}),
            subject_hash=document.subject_hash,
        ),
        approved=approved,
        reason=reason,
    )
    audit.record(
        tx, f"{document.kind}.decide_overrun", str(document.source_id), after=[decision.role, approved]
    )
    return state, decision


def _let_through(tx: Tx, source_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the documents that every role of OVERRUN_ROLES let exceed their budgets."""
    approved = decisions_by_subject(tx.conn, overrun_decisions, "source_id", source_ids)
    return {
        source_id
        for source_id, decided in approved.items()
        if {each.role for each in decided if each.approved} >= OVERRUN_ROLES
    }
