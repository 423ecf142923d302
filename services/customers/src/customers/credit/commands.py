"""The credit of an institution: proposed, approved by two persons, held by one at once, every version kept.

A version that took effect never changes: together they are the customer's credit archive. The version a proposal
was based on is part of what is decided on; a hold in between ends the proposals that did not know of it.
Source: C31, F21, F27
"""

from dataclasses import asdict, replace
from uuid import UUID

from customers import change_log, master
from customers.credit import events, model, store
from customers.credit.model import Credit, Terms
from customers.credit.tables import credit_decisions
from shared import audit, outbox
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date, new_id
from shared.errors import Conflict, Invalid, NotFound
from shared.languages import Text
from shared.transaction import Tx

APPROVERS = frozenset({"finance_head", "business_head"})


class CreditUnknown(NotFound):
    code = "credit_unknown"
    cure = "Look the proposal up in the list of the customer's credits."


class CreditDatesFaulty(Invalid):
    code = "credit_dates_faulty"
    cure = "Propose a credit whose last day lies ahead."


class CreditProposalPending(Conflict):
    """The customer's last proposal is not decided yet."""

    code = "credit_proposal_pending"
    cure = "Let the proposal that waits be decided first."


class CreditProposalEnded(Conflict):
    """It was decided, or what it was based on has changed."""

    code = "credit_proposal_ended"
    cure = "Make a new proposal if the customer is to have another credit."


class NoCreditToHold(Conflict):
    code = "no_credit_to_hold"
    cure = "Nothing needs doing: nothing is sold to this customer on credit."


def propose(tx: Tx, customer_id: UUID, terms: Terms) -> UUID:
    """Ask for a credit. Raises CustomerNotFound, NotAnInstitution, CreditDatesFaulty, CreditProposalPending."""
    master.lock_institution(tx, customer_id)
    if terms.valid_until is not None and terms.valid_until < business_date(tx.now):
        raise CreditDatesFaulty("the credit would have ended already")
    archive = store.of_customer(tx.conn, customer_id)
    if any(each.state == "proposed" for each in archive):
        raise CreditProposalPending("the last proposal is to be decided first")
    newest = model.current(archive)
    proposal = _add(
        tx,
        Credit(
            credit_id=new_id(),
            customer_id=customer_id,
            state="proposed",
            base_version=(newest.version or 0) if newest else 0,
            version=None,
            **asdict(terms),
            requested_by=tx.actor.id,
            requested_at=tx.now,
            effective_at=None,
            subject_hash="",
        ),
    )
    audit.record(tx, "credit.propose", str(proposal.credit_id), after=proposal.subject_hash)
    return proposal.credit_id


def decide(tx: Tx, customer_id: UUID, credit_id: UUID, *, approved: bool, reason: str | None) -> None:
    """One decision of the two; the second approval puts the credit into effect and tells it.

    Raises CreditUnknown, CreditProposalEnded and the refusals of the approval.
    """
    master.lock_institution(tx, customer_id)
    archive = {each.credit_id: each for each in store.of_customer(tx.conn, customer_id)}
    credit = archive.get(credit_id)
    if credit is None:
        raise CreditUnknown("the customer has no such credit")
    if credit.state != "proposed":
        raise CreditProposalEnded(Text("this proposal is {state}", state=credit.state))
    if credit.valid_until is not None and credit.valid_until < business_date(tx.now) and approved:
        raise CreditDatesFaulty("the credit would have ended already")
    decision, state = decide_and_store(
        tx,
        credit_decisions,
        {"credit_id": credit_id},
        Approval(required=APPROVERS, excluded=frozenset({credit.requested_by}), subject_hash=_hash(credit)),
        approved=approved,
        reason=reason,
    )
    audit.record(tx, "credit.decide", str(credit_id), after=[decision.role, approved, reason])
    if not approved:
        store.change(tx.conn, credit_id, state="rejected")
    elif state == "approved":
        version = credit.base_version + 1
        store.change(tx.conn, credit_id, state="effective", version=version, effective_at=tx.now)
        _tell(tx, replace(credit, version=version))


def hold(tx: Tx, customer_id: UUID, reason: str) -> UUID:
    """Nothing more on credit, from now on; only an approved proposal lifts it. Raises NoCreditToHold."""
    master.lock_institution(tx, customer_id)
    archive = store.of_customer(tx.conn, customer_id)
    newest = model.current(archive)
    if newest is None or newest.on_hold:
        raise NoCreditToHold("nothing is sold to this customer on credit as it is")
    for each in archive:
        if each.state == "proposed":
            store.change(tx.conn, each.credit_id, state="superseded")
    base = newest.version or 0
    held = _add(
        tx,
        replace(
            newest,
            credit_id=new_id(),
            base_version=base,
            version=base + 1,
            on_hold=True,
            reason=reason,
            requested_by=tx.actor.id,
            requested_at=tx.now,
            effective_at=tx.now,
        ),
    )
    audit.record(tx, "credit.hold", str(held.credit_id), after=held.subject_hash)
    _tell(tx, held)
    return held.credit_id


def _hash(credit: Credit) -> str:
    """What is decided on: every figure, the reason given, and the version it would replace."""
    found = audit.digest(
        [
            str(credit.customer_id),
            credit.base_version,
            credit.limit_fen,
            credit.overdue_tolerance_fen,
            credit.on_hold,
            str(credit.valid_until),
            credit.reason,
        ]
    )
    assert found is not None
    return found


def _add(tx: Tx, credit: Credit) -> Credit:
    credit = replace(credit, subject_hash=_hash(credit))
    store.add(tx.conn, credit)
    return credit


def _tell(tx: Tx, credit: Credit) -> None:
    today = business_date(tx.now)
    action = "credit_held" if credit.on_hold else "credit_changed"
    change_log.add(tx, credit.customer_id, action, ["credit"])
    assert credit.version is not None
    outbox.append(
        tx,
        events.credit_changed(
            customer_id=credit.customer_id,
            branch_id=master.row_of(tx.conn, credit.customer_id).branch_id,
            limit_fen=credit.limit_fen,
            overdue_tolerance_fen=credit.overdue_tolerance_fen,
            on_hold=credit.on_hold,
            valid_until=credit.valid_until,
            credit_version=credit.version,
            on=today,
        ),
    )
