"""An expense claim from draft to payment: budget, invoices and state change in one transaction.

draft → (awaiting_budget →) submitted → manager_approved → finance_audited → approved → paid; rejected from any
step between. Source: F18, F19, F20, F23, lessons I32, I33, M28
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update

from finance import cash, entries, periods
from finance.book import book_of
from finance.budgets import draws
from finance.budgets.rules import OVERRUN_ROLES, Unbudgeted, overruns
from finance.expenses import events
from finance.expenses.queries import item_of
from finance.expenses.rules import (
    ClaimNotFound,
    ClaimNotReady,
    ClaimNotYours,
    ClaimState,
    Finding,
    InvoiceTaken,
    Item,
    approved_posting,
    check_items,
    cost_fen,
    paid_posting,
)
from finance.expenses.rules import audit as audited_items
from finance.expenses.tables import claims, decisions, items, taken_invoices
from finance.kernel import invoice_number
from finance.kernel.period import PeriodClosed, PeriodState
from shared import audit, outbox
from shared.approvals import Approval, SamePerson, decide_and_store, decisions_on
from shared.clock import business_date, month_of, new_id
from shared.languages import Text
from shared.transaction import Tx

CLAIM, OVERRUN = "claim", "overrun"
MANAGER, AUDITOR, APPROVER = "manager", "auditor", "approver"
STEPS = frozenset({MANAGER, AUDITOR, APPROVER})
MANAGERS = frozenset({"store_manager", "business_head", "cs_manager", "unit_head"})
APPROVERS = frozenset({"finance_head", "management"})


def draft(tx: Tx, body: Mapping[str, Any]) -> UUID:
    """A claim of the caller's own. Raises ForeignBranch and the faults of rules.check_items."""
    tx.actor.require_branch(body["branch_id"])
    claimed = _items(body["items"])
    check_items(claimed, tx.actor.id, business_date(tx.now))
    claim_id = new_id()
    tx.conn.execute(
        insert(claims).values(
            claim_id=claim_id,
            branch_id=body["branch_id"],
            department=body["department"],
            campaign=body["campaign"],
            claimant=tx.actor.id,
            purpose=body["purpose"],
            state=ClaimState.DRAFT.value,
            claimed_fen=sum(item.amount_fen for item in claimed),
            created_at=tx.now,
        )
    )
    _write_items(tx, claim_id, claimed)
    audit.record(tx, "expense.draft", str(claim_id), after=body)
    return claim_id


def revise(tx: Tx, claim_id: UUID, body: Mapping[str, Any]) -> None:
    """Replace what a draft says. Raises as `draft`, ClaimNotFound, ClaimNotYours, ClaimNotReady."""
    row = _own(tx, claim_id)
    tx.actor.require_branch(body["branch_id"])
    claimed = _items(body["items"])
    check_items(claimed, tx.actor.id, business_date(tx.now))
    tx.conn.execute(delete(items).where(items.c.claim_id == claim_id))
    _write_items(tx, claim_id, claimed)
    tx.conn.execute(
        update(claims)
        .where(claims.c.claim_id == claim_id)
        .values(
            branch_id=body["branch_id"],
            department=body["department"],
            campaign=body["campaign"],
            purpose=body["purpose"],
            claimed_fen=sum(item.amount_fen for item in claimed),
        )
    )
    audit.record(tx, "expense.revise", str(claim_id), before=row["claimed_fen"], after=body)


def _items(rows: Sequence[Mapping[str, Any]]) -> list[Item]:
    return [
        Item(
            no=no,
            category=row["category"],
            amount_fen=row["amount"],
            tax_fen=row["tax"],
            invoice_no=row["invoice_no"],
            spent_on=row["spent_on"],
            attendees=row["attendees"],
        )
        for no, row in enumerate(rows, 1)
    ]


def _write_items(tx: Tx, claim_id: UUID, claimed: Sequence[Item]) -> None:
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


def submit(tx: Tx, claim_id: UUID) -> None:
    """Take the invoices and reserve the budget, or ask for approval of the overrun where the budget says so.

    Raises ClaimNotFound, ClaimNotYours, ClaimNotReady, InvoiceTaken, Unbudgeted, BudgetExceeded, and the faults of
    rules.check_items.
    """
    row = _own(tx, claim_id)
    claimed = items_of(tx, claim_id)
    check_items(claimed, tx.actor.id, business_date(tx.now))
    _take_invoices(tx, claim_id, claimed)
    covers = {
        item.no: draws.covering(
            tx, row["branch_id"], (row["department"], row["campaign"]), item.category, item.spent_on
        )
        for item in claimed
    }
    bare = [item for item in claimed if covers[item.no] is None]
    if bare:
        raise Unbudgeted(
            "no budget covers some items",
            errors=[
                {"path": f"items.{item.no - 1}", "message": "no budget of this branch, category and day"}
                for item in bare
            ],
        )
    for item in claimed:
        tx.conn.execute(
            update(items)
            .where(items.c.claim_id == claim_id, items.c.no == item.no)
            .values(budget_id=covers[item.no])
        )
    needs = _needs(claimed, covers)
    over = overruns(draws.locked(tx, list(needs)), {str(key): fen for key, fen in needs.items()})
    if not over:
        _reserve(tx, claim_id, needs)
    subject = audit.digest([[str(claim_id), row["branch_id"], row["campaign"]], [_shown(i) for i in claimed]])
    _move(
        tx,
        row,
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
        taken = tx.conn.execute(
            text(
                "insert into taken_invoices (invoice_no, document_id) values (:invoice_no, :claim_id)"
                " on conflict (invoice_no) do nothing"
            ),
            {"invoice_no": invoice_number.key(item.invoice_no), "claim_id": claim_id},
        )
        if not taken.rowcount:
            raise InvoiceTaken(
                "the invoice was claimed before",
                errors=[{"path": f"items.{item.no - 1}.invoice_no", "message": "claimed before"}],
            )


def _needs(counted: Sequence[Item], covers: Mapping[int, UUID | None]) -> dict[UUID, int]:
    needs: dict[UUID, int] = {}
    for item in counted:
        budget_id = covers[item.no]
        assert budget_id is not None
        needs[budget_id] = needs.get(budget_id, 0) + cost_fen(item)
    return needs


def _reserve(tx: Tx, claim_id: UUID, needs: Mapping[UUID, int]) -> None:
    for budget_id, fen in sorted(needs.items()):
        draws.move(tx, budget_id, CLAIM, claim_id, reserved_fen=fen)


def decide_overrun(tx: Tx, claim_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Finance head and management let a claim exceed its budget, or reject it.

    Raises ClaimNotFound, ForeignBranch, ClaimNotReady, and the refusals of shared.approvals.
    """
    row = _locked(tx, claim_id, ClaimState.AWAITING_BUDGET)
    state = _decide(tx, row, OVERRUN, OVERRUN_ROLES, tx.actor.roles, approved=approved, reason=reason)
    if state == "rejected":
        _reject(tx, row, {})
    elif state == "approved":
        needs = _held(tx, claim_id)
        draws.locked(tx, list(needs))
        _reserve(tx, claim_id, needs)
        draws.tell_exceeded(tx, CLAIM, claim_id, list(needs))
        _move(tx, row, ClaimState.SUBMITTED)


def decide(tx: Tx, claim_id: UUID, *, approved: bool, reason: str | None) -> None:
    """The decision that the claim's state awaits, by a role of that stage: a manager's, or after the audit the last one.

    Raises ClaimNotReady where the state awaits nothing of the actor's roles, and what both stages raise.
    """
    row = _locked(tx, claim_id)
    if row["state"] == ClaimState.SUBMITTED and MANAGERS & tx.actor.roles:
        decide_as_manager(tx, claim_id, approved=approved, reason=reason)
    elif row["state"] == ClaimState.FINANCE_AUDITED and APPROVERS & tx.actor.roles:
        approve(tx, claim_id, approved=approved, reason=reason)
    else:
        raise _not_ready(row)


def decide_as_manager(tx: Tx, claim_id: UUID, *, approved: bool, reason: str | None) -> None:
    """The manager of the branch says the expense was meant. Never the claimant."""
    row = _locked(tx, claim_id, ClaimState.SUBMITTED)
    state = _decide(tx, row, CLAIM, STEPS, {MANAGER}, approved=approved, reason=reason)
    if state == "rejected":
        _reject(tx, row, _held(tx, claim_id))
    else:
        _move(tx, row, ClaimState.MANAGER_APPROVED)


def audit_claim(tx: Tx, claim_id: UUID, findings: Sequence[Finding]) -> None:
    """Finance's audit: items accepted, reduced or refused; what is taken off returns to its budget.

    A claim of which nothing is left is rejected. Raises AuditFindingInvalid beside the refusals of a decision.
    """
    row = _locked(tx, claim_id, ClaimState.MANAGER_APPROVED)
    claimed = items_of(tx, claim_id)
    left = audited_items(claimed, findings)
    accepted = sum(each.accepted_fen for each in left)
    reasons = "; ".join(each.reason for each in left if each.reason)
    _decide(tx, row, CLAIM, STEPS, {AUDITOR}, approved=accepted > 0, reason=reasons or None)
    before = _held(tx, claim_id)
    for each in left:
        tx.conn.execute(
            update(items)
            .where(items.c.claim_id == claim_id, items.c.no == each.no)
            .values(
                accepted_fen=each.accepted_fen,
                accepted_tax_fen=each.accepted_tax_fen,
                audit_reason=each.reason,
            )
        )
    hit = accepted < row["claimed_fen"]
    values = {"accepted_fen": accepted, "hit": hit, "audited_at": tx.now}
    outbox.append(
        tx,
        events.expense_audited(row, accepted_fen=accepted, hit=hit, day=business_date(tx.now)),
    )
    if not accepted:
        _reject(tx, row, before, **values)
        return
    after = _held(tx, claim_id)
    for budget_id, fen in sorted(before.items()):
        draws.move(tx, budget_id, CLAIM, claim_id, reserved_fen=after[budget_id] - fen)
    _move(tx, row, ClaimState.FINANCE_AUDITED, **values)


def approve(tx: Tx, claim_id: UUID, *, approved: bool, reason: str | None) -> None:
    """The last word: the expense is booked today and what was reserved is spent.

    Raises PeriodClosed when the present month is closed, beside the refusals of a decision.
    """
    row = _locked(tx, claim_id, ClaimState.FINANCE_AUDITED)
    state = _decide(tx, row, CLAIM, STEPS, {APPROVER}, approved=approved, reason=reason)
    if state == "rejected":
        _reject(tx, row, _held(tx, claim_id))
        return
    today = business_date(tx.now)
    counted = [item for item in items_of(tx, claim_id) if item.counted_fen]
    _post(tx, row, "expense_approved", approved_posting(book_of(tx.conn).chart, counted))
    for (budget_id, category), fen in sorted(_spent(tx, claim_id, counted).items()):
        draws.spend(tx, budget_id, CLAIM, claim_id, fen, category=category, booked_on=today, reserved_fen=fen)
    _move(tx, row, ClaimState.APPROVED, booked_on=today)
    outbox.append(tx, events.expense_approved(row, counted, day=today))


def pay(tx: Tx, claim_id: UUID, paid_from: str) -> None:
    """The cashier pays; another person than the claimant and all who decided. Cash comes from the safe.

    Raises ClaimNotFound, ForeignBranch, ClaimNotReady, SamePerson, PeriodClosed, SafeShort.
    """
    row = _locked(tx, claim_id, ClaimState.APPROVED)
    decided = decisions_on(tx.conn, decisions, {"claim_id": claim_id})
    involved = {row["claimant"], *(each.person for each in decided)}
    if tx.actor.id in involved:
        raise SamePerson("who claimed or decided does not pay")
    today = business_date(tx.now)
    if paid_from == "cash_on_hand":
        cash.before_safe_pays(tx, row["branch_id"], row["accepted_fen"])
    _post(tx, row, "expense_paid", paid_posting(book_of(tx.conn).chart, paid_from, row["accepted_fen"]))
    _move(tx, row, ClaimState.PAID, paid_on=today, paid_from=paid_from, paid_by=tx.actor.id)
    outbox.append(tx, events.expense_paid(row, paid_from=paid_from, day=today))


def _post(tx: Tx, row: Mapping[str, Any], kind: str, postings: Sequence[Any]) -> None:
    today = business_date(tx.now)
    if periods.hold_months(tx.conn, [today])[month_of(today)] != PeriodState.OPEN:
        raise PeriodClosed("the present month is closed already")
    entries.add_entry(
        tx,
        booked_on=today,
        branch_id=row["branch_id"],
        kind=kind,
        source_id=str(row["claim_id"]),
        postings=postings,
        customer_id=None,
    )


# --- what the steps share ---------------------------------------------------------------------------


def _locked(tx: Tx, claim_id: UUID, expected: ClaimState | None = None) -> dict[str, Any]:
    row = (
        tx.conn.execute(select(claims).where(claims.c.claim_id == claim_id).with_for_update())
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise ClaimNotFound("no such claim")
    tx.actor.require_branch(row["branch_id"])
    claim = dict(row)
    if expected is not None and claim["state"] != expected:
        raise _not_ready(claim)
    return claim


def _not_ready(row: Mapping[str, Any]) -> ClaimNotReady:
    return ClaimNotReady(Text("the claim is {state}", state=row["state"]), state=row["state"])


def _own(tx: Tx, claim_id: UUID) -> dict[str, Any]:
    row = _locked(tx, claim_id, ClaimState.DRAFT)
    if row["claimant"] != tx.actor.id:
        raise ClaimNotYours("a draft is the claimant's alone")
    return row


def items_of(tx: Tx, claim_id: UUID) -> list[Item]:
    rows = tx.conn.execute(select(items).where(items.c.claim_id == claim_id).order_by(items.c.no))
    return [item_of(dict(row)) for row in rows.mappings()]


def _held(tx: Tx, claim_id: UUID) -> dict[UUID, int]:
    """What the claim draws on each budget, as its items count now."""
    return _needs(items_of(tx, claim_id), _covers(tx, claim_id))


def _covers(tx: Tx, claim_id: UUID) -> dict[int, UUID | None]:
    rows = tx.conn.execute(select(items.c.no, items.c.budget_id).where(items.c.claim_id == claim_id))
    return {row.no: row.budget_id for row in rows}


def _spent(tx: Tx, claim_id: UUID, counted: Sequence[Item]) -> dict[tuple[UUID, str], int]:
    """What the claim costs, by budget and category."""
    covers = _covers(tx, claim_id)
    spent: dict[tuple[UUID, str], int] = {}
    for item in counted:
        budget_id = covers[item.no]
        assert budget_id is not None
        spent[budget_id, item.category] = spent.get((budget_id, item.category), 0) + cost_fen(item)
    return spent


def _decide(
    tx: Tx,
    row: Mapping[str, Any],
    matter: str,
    required: frozenset[str],
    roles: Collection[str],
    *,
    approved: bool,
    reason: str | None,
) -> str:
    """Add one decision, by a person who is not the claimant and has not decided; the state it leads to."""
    _, state = decide_and_store(
        tx,
        decisions,
        {"claim_id": row["claim_id"], "matter": matter},
        Approval(
            required=required,
            excluded=frozenset({row["claimant"]}),
            subject_hash=row["subject_hash"],
            acting_as=frozenset(roles),
        ),
        approved=approved,
        reason=reason,
    )
    return state


def _reject(tx: Tx, row: Mapping[str, Any], held: Mapping[UUID, int], **values: Any) -> None:
    """Release the budget and give the invoices back: a claim that was wrong in form may be made anew."""
    for budget_id, fen in sorted(held.items()):
        draws.move(tx, budget_id, CLAIM, row["claim_id"], reserved_fen=-fen)
    tx.conn.execute(delete(taken_invoices).where(taken_invoices.c.document_id == row["claim_id"]))
    _move(tx, row, ClaimState.REJECTED, **values)


def _move(tx: Tx, row: Mapping[str, Any], state: ClaimState, **values: Any) -> None:
    tx.conn.execute(
        update(claims).where(claims.c.claim_id == row["claim_id"]).values(state=state.value, **values)
    )
    audit.record(
        tx,
        f"expense.{state.value}",
        str(row["claim_id"]),
        before=row["state"],
        after=[state.value, *values.values()],
    )
