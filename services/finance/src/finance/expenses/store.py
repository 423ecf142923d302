"""The rows of claims and their items, and what they hold of budgets."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update

from finance import budgets
from finance.expenses.rules import (
    Audited,
    Claim,
    Claimed,
    ClaimNotFound,
    ClaimNotReady,
    ClaimNotYours,
    ClaimState,
    Item,
    cost_fen,
)
from finance.expenses.tables import claims, items
from shared import audit
from shared.languages import Text
from shared.transaction import Tx

CLAIM = "claim"
"""What reserves, in the movements of budgets."""


def draft(tx: Tx, claim_id: UUID, said: Claimed) -> None:
    """A claim of the actor's with its items."""
    tx.conn.execute(
        insert(claims).values(
            claim_id=claim_id,
            branch_id=said.branch_id,
            department=said.department,
            campaign=said.campaign,
            claimant=tx.actor.id,
            purpose=said.purpose,
            state=ClaimState.DRAFT.value,
            claimed_fen=sum(item.amount_fen for item in said.items),
            created_at=tx.now,
        )
    )
    _add_items(tx, claim_id, said.items)


def revise(tx: Tx, claim_id: UUID, said: Claimed) -> None:
    """What a draft says, and its items, in the place of what it said before."""
    tx.conn.execute(delete(items).where(items.c.claim_id == claim_id))
    _add_items(tx, claim_id, said.items)
    tx.conn.execute(
        update(claims)
        .where(claims.c.claim_id == claim_id)
        .values(
            branch_id=said.branch_id,
            department=said.department,
            campaign=said.campaign,
            purpose=said.purpose,
            claimed_fen=sum(item.amount_fen for item in said.items),
        )
    )


def _add_items(tx: Tx, claim_id: UUID, claimed: Sequence[Item]) -> None:
    tx.conn.execute(
        insert(items),
        [
            {
                "claim_id": claim_id,
                "no": item.no,
                "category": item.category,
                "amount_fen": item.amount_fen,
                "tax_fen": item.tax_fen,
                "invoice_no": item.invoice_no,
                "spent_on": item.spent_on,
                "attendees": list(item.attendees),
            }
            for item in claimed
        ],
    )


def cover(tx: Tx, claim_id: UUID, budgets_by_no: Mapping[int, UUID | None]) -> None:
    """Which budget pays for each item."""
    for no, budget_id in budgets_by_no.items():
        tx.conn.execute(
            update(items).where(items.c.claim_id == claim_id, items.c.no == no).values(budget_id=budget_id)
        )


def accept(tx: Tx, claim_id: UUID, audited: Audited) -> None:
    """What the audit left of an item, and why."""
    tx.conn.execute(
        update(items)
        .where(items.c.claim_id == claim_id, items.c.no == audited.no)
        .values(
            accepted_fen=audited.accepted_fen,
            accepted_tax_fen=audited.accepted_tax_fen,
            audit_reason=audited.reason,
        )
    )


def needs_of(counted: Sequence[Item], budgets_by_no: Mapping[int, UUID | None]) -> dict[UUID, int]:
    """What items cost, by the budget that pays."""
    needs: dict[UUID, int] = {}
    for item in counted:
        budget_id = budgets_by_no[item.no]
        assert budget_id is not None
        needs[budget_id] = needs.get(budget_id, 0) + cost_fen(item)
    return needs


def reserve(tx: Tx, claim_id: UUID, fen_by_budget: Mapping[UUID, int]) -> None:
    """Reserve so much more of each budget, or so much less."""
    moves = [
        budgets.Move(budget_id, claim_id, reserved_fen=fen)
        for budget_id, fen in sorted(fen_by_budget.items())
    ]
    budgets.move_all(tx, CLAIM, moves)


def locked(tx: Tx, claim_id: UUID, expected: ClaimState | None = None) -> Claim:
    row = tx.conn.execute(select(claims).where(claims.c.claim_id == claim_id).with_for_update()).one_or_none()
    if row is None:
        raise ClaimNotFound("no such claim")
    tx.actor.require_branch(row.branch_id)
    claim = Claim(
        claim_id=row.claim_id,
        branch_id=row.branch_id,
        department=row.department,
        campaign=row.campaign,
        claimant=row.claimant,
        state=ClaimState(row.state),
        claimed_fen=row.claimed_fen,
        accepted_fen=row.accepted_fen,
        subject_hash=row.subject_hash,
    )
    if expected is not None and claim.state != expected:
        raise not_ready(claim)
    return claim


def not_ready(claim: Claim) -> ClaimNotReady:
    return ClaimNotReady(Text("the claim is {state}", state=claim.state), state=claim.state)


def items_of(tx: Tx, claim_id: UUID) -> list[Item]:
    rows = tx.conn.execute(select(items).where(items.c.claim_id == claim_id).order_by(items.c.no))
    return [item_of(row) for row in rows]


def held(tx: Tx, claim_id: UUID) -> dict[UUID, int]:
    """What the claim draws on each budget, as its items count now."""
    return needs_of(items_of(tx, claim_id), covers(tx, claim_id))


def covers(tx: Tx, claim_id: UUID) -> dict[int, UUID | None]:
    rows = tx.conn.execute(select(items.c.no, items.c.budget_id).where(items.c.claim_id == claim_id))
    return {row.no: row.budget_id for row in rows}


def spent(tx: Tx, claim_id: UUID, counted: Sequence[Item]) -> dict[tuple[UUID, str], int]:
    """What the claim costs, by budget and category."""
    by_no = covers(tx, claim_id)
    found: dict[tuple[UUID, str], int] = {}
    for item in counted:
        budget_id = by_no[item.no]
        assert budget_id is not None
        found[budget_id, item.category] = found.get((budget_id, item.category), 0) + cost_fen(item)
    return found


def move(tx: Tx, claim: Claim, state: ClaimState, **values: Any) -> None:
    tx.conn.execute(
        update(claims).where(claims.c.claim_id == claim.claim_id).values(state=state.value, **values)
    )
    audit.record(
        tx,
        f"expense.{state.value}",
        str(claim.claim_id),
        before=claim.state,
        after=[state.value, *values.values()],
    )


def item_of(row: Row[Any]) -> Item:
    """A row of expense_items."""
    return Item(
        no=row.no,
        category=row.category,
        amount_fen=row.amount_fen,
        tax_fen=row.tax_fen,
        invoice_no=row.invoice_no,
        spent_on=row.spent_on,
        attendees=row.attendees,
        accepted_fen=row.accepted_fen,
        accepted_tax_fen=row.accepted_tax_fen,
    )


def own(tx: Tx, claim_id: UUID) -> Claim:
    claim = locked(tx, claim_id, ClaimState.DRAFT)
    if claim.claimant != tx.actor.id:
        raise ClaimNotYours("a draft is the claimant's alone")
    return claim
