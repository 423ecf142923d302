"""An expense claim until it is submitted: budget, invoices and state change in one transaction.

Source: F18, F19, lessons I32, I33
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from finance import budget_control, budgets, taken_invoices
from finance.expense_categories import Charge
from finance.expenses import store
from finance.expenses.rules import Claimed, ClaimState, InvoiceTaken, Item, check_items
from finance.expenses.store import items_of, move, needs_of, own, reserve
from finance.kernel import invoice_number
from shared import audit
from shared.clock import business_date, new_id
from shared.transaction import Tx


def draft(tx: Tx, said: Claimed) -> UUID:
    """A claim of the caller's own. Raises ForeignBranch and the faults of rules.check_items."""
    tx.actor.require_branch(said.branch_id)
    check_items(said.items, tx.actor.id, business_date(tx.now))
    claim_id = new_id()
    store.draft(tx, claim_id, said)
    audit.record(tx, "expense.draft", str(claim_id), after=asdict(said))
    return claim_id


def revise(tx: Tx, claim_id: UUID, said: Claimed) -> None:
    """Replace what a draft says. Raises as `draft`, ClaimNotFound, ClaimNotYours, ClaimNotReady."""
    claim = own(tx, claim_id)
    tx.actor.require_branch(said.branch_id)
    check_items(said.items, tx.actor.id, business_date(tx.now))
    store.revise(tx, claim_id, said)
    audit.record(tx, "expense.revise", str(claim_id), before=claim.claimed_fen, after=asdict(said))


def submit(tx: Tx, claim_id: UUID) -> None:
    """Take the invoices and reserve the budget, or ask for approval of the overrun where the budget says so.

    Raises ClaimNotFound, ClaimNotYours, ClaimNotReady, InvoiceTaken, Unbudgeted, BudgetExceeded, and the faults of
    rules.check_items.
    """
    claim = own(tx, claim_id)
    claimed = items_of(tx, claim_id)
    check_items(claimed, tx.actor.id, business_date(tx.now))
    _take_invoices(tx, claim_id, claimed)
    charges = [
        Charge(claim.branch_id, claim.department, claim.campaign, item.category, item.spent_on)
        for item in claimed
    ]
    covers = {
        item.no: each.budget_id for item, each in zip(claimed, budgets.covering(tx, charges), strict=True)
    }
    bare = [item for item in claimed if covers[item.no] is None]
    if bare:
        raise budget_control.Unbudgeted(
            "no budget covers some items",
            errors=[
                {"path": f"items.{item.no - 1}", "message": "no budget of this branch, category and day"}
                for item in bare
            ],
        )
    store.cover(tx, claim_id, covers)
    needs = needs_of(claimed, covers)
    over = budgets.overruns(budgets.locked(tx, list(needs)), {str(key): fen for key, fen in needs.items()})
    if not over:
        reserve(tx, claim_id, needs)
    subject = audit.digest([[str(claim_id), claim.branch_id, claim.campaign], [_shown(i) for i in claimed]])
    move(
        tx,
        claim,
        ClaimState.AWAITING_BUDGET if over else ClaimState.SUBMITTED,
        submitted_at=tx.now,
        subject_hash=subject,
    )


def _shown(item: Item) -> list[Any]:
    return [
        item.no,
        item.category,
        item.amount_fen,
        item.tax_fen,
        item.invoice_no,
        item.spent_on,
        list(item.attendees),
    ]


def _take_invoices(tx: Tx, claim_id: UUID, claimed: Sequence[Item]) -> None:
    """In order, so that two claims never wait for each other; the second of a race waits and is refused."""
    for item in sorted(claimed, key=lambda each: invoice_number.key(each.invoice_no)):
        if not taken_invoices.take(tx, claim_id, item.invoice_no):
            raise InvoiceTaken(
                "the invoice was claimed before",
                errors=[{"path": f"items.{item.no - 1}.invoice_no", "message": "claimed before"}],
            )
