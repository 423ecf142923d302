"""A contract from its draft to both signatures. Every command locks the contract first.

Source: F8, F9, F26, C37, X1, X7, model 3.2 (Contract)
"""

from datetime import date
from uuid import UUID

from finance import contract_forms, trade_permissions
from finance.contract_forms import Agreed, Content
from finance.contracts import events, rules
from finance.contracts.model import Contract, Signature, concluded
from finance.contracts.store import papers
from shared import audit, outbox
from shared.approvals import Approval, SamePerson
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.transaction import Tx


def draft(tx: Tx, branch_id: str, customer_id: UUID, content: Content) -> UUID:
    """A new contract under the next number of the branch and year; its contents may still be incomplete.

    Raises ForeignBranch.
    """
    tx.actor.require_branch(branch_id)
    year = business_date(tx.now).year
    contract = Contract(
        contract_id=new_id(),
        number=f"HT-{branch_id}-{year}-{papers.next_number(tx, branch_id, year):04d}",
        branch_id=branch_id,
        customer_id=customer_id,
        state="draft",
        version=0,
        revision=0,
        draft=content,
        submissions=0,
        drafted_by=tx.actor.id,
        drafted_at=tx.now,
        reviewed_on=None,
        signed_on=None,
        valid_from=None,
        valid_until=None,
        value_fen=None,
    )
    papers.add(tx, contract)
    papers.told(tx, contract, "drafted", content)
    return contract.contract_id


def revise(tx: Tx, contract_id: UUID, content: Content) -> None:
    """Replace what a draft says; whoever revises it counts as its drafter. Raises ContractStateWrong."""
    contract = _in_state(tx, contract_id, "draft")
    papers.revise(tx, contract, content)
    papers.told(tx, contract, "revised", content)


def submit(tx: Tx, contract_id: UUID) -> None:
    """Draft → legal_review, if nothing is missing. Raises ContractStateWrong, ContractIncomplete, ContractContentInvalid."""
    contract = _in_state(tx, contract_id, "draft")
    # VAT rates are those of the day the contract is dated
    contract_forms.require_complete(contract.draft, on=contract.draft.dated_on or business_date(tx.now))
    papers.submit(tx, contract)
    papers.told(tx, contract, "submitted", contract.draft)


def withdraw(tx: Tx, contract_id: UUID, reason: str) -> None:
    """Back to the draft before both have signed, say because the customer wants it otherwise; review and signatures
    begin anew. Raises ContractStateWrong.
    """
    contract = _in_state(tx, contract_id, "legal_review")
    papers.make_draft(tx, contract)
    papers.told(tx, contract, "withdrawn", contract.draft, reason)


def review(tx: Tx, contract_id: UUID, *, approved: bool, reason: str | None) -> None:
    """The legal review by business head and finance head, two persons who never drafted, revised or submitted it.

    A rejection, with its reason, makes it a draft again. Raises ContractStateWrong and the refusals of
    shared.approvals.
    """
    contract = _in_state(tx, contract_id, "legal_review")
    asked = Approval(
        required=rules.REVIEWERS,
        excluded=papers.authors(tx, contract),
        subject_hash=audit.digest([contract.draft.plain, contract.submissions]) or "",
    )
    is_complete = papers.decide(tx, contract, "legal_review", asked, approved=approved, reason=reason)
    if not approved:
        papers.make_draft(tx, contract)
    elif is_complete:
        papers.keep_review(tx, contract)
    papers.told(tx, contract, "reviewed" if approved else "rejected", contract.draft, reason)


def sign(tx: Tx, contract_id: UUID, signature: Signature) -> None:
    """Record one party's signature; with the second the contract is signed, and in force once its first day has come.

    Our signatory signs in person and did not draft it; the customer's is a contact, whose signature anybody of sales
    records with the hash of the paper. Raises ContractStateWrong, ContractNotReviewed, SignatoryNotNamed,
    PartySigned, SignatureDateInvalid, ContractContentInvalid, SamePerson and the refusals of a trade permission.
    """
    contract = _in_state(tx, contract_id, "legal_review")
    if contract.reviewed_on is None:
        raise rules.ContractNotReviewed("the legal review has not approved it")
    content, is_ours = contract.draft, signature.party == "ours"
    named = content.our_signatory if is_ours else content.customer_signatory
    signatory = tx.actor.id if is_ours else str(signature.contact_id)
    if signatory != named or (is_ours and not tx.actor.roles & set(rules.SIGNATORIES)):
        raise rules.SignatoryNotNamed("the contract names another signatory for this party")
    if is_ours and tx.actor.id in papers.authors(tx, contract, "drafted", "revised"):
        raise SamePerson("who drafted the contract does not sign it")
    rules.require_signed_day(signature.signed_on, today=business_date(tx.now))
    dates = papers.signed_on(tx, contract)
    if signature.party in dates:
        raise rules.PartySigned("this party has signed")
    papers.add_signature(tx, contract, signature, signatory)
    papers.told(tx, contract, f"signed_by_{signature.party}", content)
    if dates:
        _conclude(tx, contract, max(signature.signed_on, *dates.values()))


def _conclude(tx: Tx, contract: Contract, signed_on: date) -> None:
    """Both have signed: version 1 stands, and nothing but an amendment changes it."""
    content = contract_forms.require_complete(contract.draft, on=signed_on)
    require_permission(tx, contract.customer_id, content, signed_on)
    today = business_date(tx.now)
    signed = concluded(contract, content, signed_on)
    papers.add_version(tx, signed, content, signed_on)
    papers.conclude(tx, signed)
    event = events.contract_signed(
        signed,
        content,
        lag_days=(today - signed_on).days,
        late=rules.is_late(signed_on, today),
        revision=papers.next_revision(tx, contract),
        day=today,
    )
    outbox.append(tx, event)
    papers.changed(tx, signed, "signed", content_hash=audit.digest(content.plain))


def require_permission(tx: Tx, customer_id: UUID, content: Agreed, day: date) -> None:
    """The customer may buy all of it on that day. Raises TradeNotPermitted, CustomerUnknown, CustomerNotYetKnown."""
    known = trade_permissions.held_on(tx.conn, customer_id, day)
    trade_permissions.require(tx, customer_id, known, content.categories, day)


def _in_state(tx: Tx, contract_id: UUID, state: str) -> Contract:
    contract = papers.locked(tx, contract_id)
    if contract.state != state:
        raise rules.ContractStateWrong(
            Text("the contract is {state}", state=contract.state), state=contract.state
        )
    return contract
