"""An expense claim from submission to payment.

draft → (awaiting_budget →) submitted → manager_approved → finance_audited → approved → paid; rejected from any
step between. Source: F18, F19, F20, F23, lessons I32, I33, M28
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from finance import budget_control, budgets, cash, entries, periods, taken_invoices
from finance.book import book_of
from finance.expenses import events
from finance.expenses.rules import Claim, ClaimState, Finding, approved_posting, paid_posting
from finance.expenses.rules import audit as audited_items
from finance.expenses.store import CLAIM, accept, held, items_of, locked, move, not_ready, reserve, spent
from finance.expenses.tables import decisions
from finance.kernel.period import PeriodClosed, PeriodState
from finance.kernel.posting import PostingLine
from shared import outbox
from shared.approvals import Approval, SamePerson, decide_and_store, decisions_on
from shared.clock import business_date, month_of
from shared.transaction import Tx

OVERRUN = "overrun"
MANAGER, AUDITOR, APPROVER = "manager", "auditor", "approver"
STEPS = frozenset({MANAGER, AUDITOR, APPROVER})
MANAGERS = frozenset({"store_manager", "business_head", "cs_manager", "unit_head"})
APPROVERS = frozenset({"finance_head", "management"})


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose decisions a matter needs; `acting_as` the step at which the actor decides, None: any of their roles."""

    matter: str
    required: frozenset[str]
    acting_as: frozenset[str] | None = None


OF_BUDGET = Asked(OVERRUN, budget_control.OVERRUN_ROLES)
OF_MANAGER, OF_AUDITOR, OF_APPROVER = (
    Asked(CLAIM, STEPS, frozenset({step})) for step in (MANAGER, AUDITOR, APPROVER)
)


def decide_overrun(tx: Tx, claim_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Finance head and management let a claim exceed its budget, or reject it.

    Raises ClaimNotFound, ForeignBranch, ClaimNotReady, and the refusals of shared.approvals.
    """
    claim = locked(tx, claim_id, ClaimState.AWAITING_BUDGET)
    state = _decide(tx, claim, OF_BUDGET, approved=approved, reason=reason)
    if state == "rejected":
        _reject(tx, claim, {})
    elif state == "approved":
        needs = held(tx, claim_id)
        budgets.locked(tx, list(needs))
        reserve(tx, claim_id, needs)
        budget_control.tell_exceeded(tx, CLAIM, claim_id, list(needs))
        move(tx, claim, ClaimState.SUBMITTED)


def decide(tx: Tx, claim_id: UUID, *, approved: bool, reason: str | None) -> None:
    """The decision that the claim's state awaits, by a role of that stage: a manager's, or after the audit the last one.

    Raises ClaimNotReady where the state awaits nothing of the actor's roles, and what both stages raise.
    """
    claim = locked(tx, claim_id)
    if claim.state == ClaimState.SUBMITTED and MANAGERS & tx.actor.roles:
        decide_as_manager(tx, claim_id, approved=approved, reason=reason)
    elif claim.state == ClaimState.FINANCE_AUDITED and APPROVERS & tx.actor.roles:
        approve(tx, claim_id, approved=approved, reason=reason)
    else:
        raise not_ready(claim)


def decide_as_manager(tx: Tx, claim_id: UUID, *, approved: bool, reason: str | None) -> None:
    """The manager of the branch says the expense was meant. Never the claimant."""
    claim = locked(tx, claim_id, ClaimState.SUBMITTED)
    state = _decide(tx, claim, OF_MANAGER, approved=approved, reason=reason)
    if state == "rejected":
        _reject(tx, claim, held(tx, claim_id))
    else:
        move(tx, claim, ClaimState.MANAGER_APPROVED)


def audit_claim(tx: Tx, claim_id: UUID, findings: Sequence[Finding]) -> None:
    """Finance's audit: items accepted, reduced or refused; what is taken off returns to its budget.

    A claim of which nothing is left is rejected. Raises AuditFindingInvalid beside the refusals of a decision.
    """
    claim = locked(tx, claim_id, ClaimState.MANAGER_APPROVED)
    claimed = items_of(tx, claim_id)
    left = audited_items(claimed, findings)
    accepted = sum(each.accepted_fen for each in left)
    reasons = "; ".join(each.reason for each in left if each.reason)
    _decide(tx, claim, OF_AUDITOR, approved=accepted > 0, reason=reasons or None)
    before = held(tx, claim_id)
    for each in left:
        accept(tx, claim_id, each)
    hit = accepted < claim.claimed_fen
    values = {"accepted_fen": accepted, "hit": hit, "audited_at": tx.now}
    outbox.append(
        tx,
        events.expense_audited(claim, accepted_fen=accepted, hit=hit, day=business_date(tx.now)),
    )
    if not accepted:
        _reject(tx, claim, before, **values)
        return
    after = held(tx, claim_id)
    reserve(tx, claim_id, {budget_id: after[budget_id] - fen for budget_id, fen in before.items()})
    move(tx, claim, ClaimState.FINANCE_AUDITED, **values)


def approve(tx: Tx, claim_id: UUID, *, approved: bool, reason: str | None) -> None:
    """The last word: the expense is booked today and what was reserved is spent.

    Raises PeriodClosed when the present month is closed, beside the refusals of a decision.
    """
    claim = locked(tx, claim_id, ClaimState.FINANCE_AUDITED)
    state = _decide(tx, claim, OF_APPROVER, approved=approved, reason=reason)
    if state == "rejected":
        _reject(tx, claim, held(tx, claim_id))
        return
    today = business_date(tx.now)
    counted = [item for item in items_of(tx, claim_id) if item.counted_fen]
    _post(tx, claim, "expense_approved", approved_posting(book_of(tx.conn).chart, counted))
    moves = [
        budgets.Move(budget_id, claim_id, -fen, fen, category=category, booked_on=today)
        for (budget_id, category), fen in sorted(spent(tx, claim_id, counted).items())
    ]
    budgets.move_all(tx, CLAIM, moves)
    move(tx, claim, ClaimState.APPROVED, booked_on=today)
    outbox.append(tx, events.expense_approved(claim, counted, day=today))


def pay(tx: Tx, claim_id: UUID, paid_from: str) -> None:
    """The cashier pays; another person than the claimant and all who decided. Cash comes from the safe.

    Raises ClaimNotFound, ForeignBranch, ClaimNotReady, SamePerson, PeriodClosed, SafeShort.
    """
    claim = locked(tx, claim_id, ClaimState.APPROVED)
    decided = decisions_on(tx.conn, decisions, {"claim_id": claim_id})
    involved = {claim.claimant, *(each.person for each in decided)}
    if tx.actor.id in involved:
        raise SamePerson("who claimed or decided does not pay")
    fen = claim.accepted_fen
    assert fen is not None, "what is approved was audited"
    today = business_date(tx.now)
    if paid_from == "cash_on_hand":
        cash.before_safe_pays(tx, claim.branch_id, fen)
    _post(tx, claim, "expense_paid", paid_posting(book_of(tx.conn).chart, paid_from, fen))
    move(tx, claim, ClaimState.PAID, paid_on=today, paid_from=paid_from, paid_by=tx.actor.id)
    outbox.append(tx, events.expense_paid(claim, paid_fen=fen, paid_from=paid_from, day=today))


def _post(tx: Tx, claim: Claim, kind: str, postings: Sequence[PostingLine]) -> None:
    today = business_date(tx.now)
    if periods.hold_months(tx.conn, [today])[month_of(today)] != PeriodState.OPEN:
        raise PeriodClosed("the present month is closed already")
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=today,
            branch_id=claim.branch_id,
            kind=kind,
            source_id=str(claim.claim_id),
            postings=postings,
        ),
    )


def _decide(tx: Tx, claim: Claim, asked: Asked, *, approved: bool, reason: str | None) -> str:
    """Add one decision, by a person who is not the claimant and has not decided; the state it leads to."""
    assert claim.subject_hash is not None, "what is decided on was submitted"
    _, state = decide_and_store(
        tx,
        decisions,
        {"claim_id": claim.claim_id, "matter": asked.matter},
        Approval(
            required=asked.required,
            excluded=frozenset({claim.claimant}),
            subject_hash=claim.subject_hash,
            acting_as=asked.acting_as,
        ),
        approved=approved,
        reason=reason,
    )
    return state


def _reject(tx: Tx, claim: Claim, held: Mapping[UUID, int], **values: Any) -> None:
    """Release the budget and give the invoices back: a claim that was wrong in form may be made anew."""
    reserve(tx, claim.claim_id, {budget_id: -fen for budget_id, fen in held.items()})
    taken_invoices.give_back(tx, claim.claim_id)
    move(tx, claim, ClaimState.REJECTED, **values)
