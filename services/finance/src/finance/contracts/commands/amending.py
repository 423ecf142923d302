"""What happens to a signed contract: amendments by both parties, termination by two persons, the passing of time.

Source: C37, F9, X1, model 3.2 (Contract)
"""

from dataclasses import replace
from uuid import UUID

from finance import contract_forms
from finance.contract_forms import Agreed, Content
from finance.contracts import events, rules
from finance.contracts.commands.drafting import require_permission
from finance.contracts.model import Amendment, Answer, Proposal, Signed
from finance.contracts.store import amendments, papers
from finance.contracts.store.fulfilment import settle
from shared import audit, outbox
from shared.approvals import Approval
from shared.clock import business_date
from shared.languages import Text
from shared.transaction import Tx

BATCH = 100


def propose(tx: Tx, contract_id: UUID, proposal: Proposal) -> UUID:
    """One side proposes a whole new content with its reason; nothing changes before both agree.

    Raises ContractStateWrong, AmendmentOpen, AmendmentEmpty, AmendmentBelowOrdered, ContractIncomplete,
    ContractContentInvalid.
    """
    contract = _signed(tx, contract_id)
    if amendments.has_open(tx, contract):
        raise rules.AmendmentOpen("an amendment of this contract awaits its decision")
    before = papers.content_in_force(tx.conn, contract)
    past = _ordered_whole(tx, contract, before, proposal.content)
    content = contract_forms.require_complete(proposal.content, on=business_date(tx.now), past=past)
    if content == before:
        raise rules.AmendmentEmpty("the proposal changes nothing")
    if content.valid_from != before.valid_from:
        raise contract_forms.ContractContentInvalid(
            "an amendment does not change the day a contract begins",
            errors=[{"path": "valid_from", "message": "does not change"}],
        )
    _require_room(tx, contract, before, content)
    amendment_id = amendments.propose(tx, contract, proposal, content)
    papers.told(tx, contract, "amendment_proposed", content, proposal.reason)
    return amendment_id


def approve(tx: Tx, contract_id: UUID, amendment_id: UUID, *, approved: bool, reason: str | None) -> None:
    """Our side's word, by a business head who neither proposed it nor recorded the customer's answer.

    Raises ContractStateWrong, AmendmentNotFound, AmendmentDecided, AmendmentBelowOrdered, the refusals of a trade
    permission and those of shared.approvals.
    """
    contract = _signed(tx, contract_id)
    amendment = _open_amendment(tx, contract, amendment_id)
    asked = Approval(
        required=rules.AMENDMENT_APPROVERS,
        excluded=frozenset({amendment.proposed_by, amendment.recorded_by or amendment.proposed_by}),
        subject_hash=audit.digest([str(amendment_id), amendment.content_hash]) or "",
    )
    papers.decide(tx, contract, "amendment", asked, approved=approved, reason=reason)
    if not approved:
        _reject(tx, contract, amendment, reason)
        return
    amendments.approve(tx, amendment)
    papers.told(tx, contract, "amendment_approved", amendment.content, reason)
    if amendment.contact_id is not None:
        _amend(tx, contract, amendments.amendment(tx, contract, amendment_id))


def record_answer(tx: Tx, contract_id: UUID, amendment_id: UUID, said: Answer) -> None:
    """The customer's answer: by which contact, on which day, shown by which paper. A refusal ends the amendment.

    Raises ContractStateWrong, AmendmentNotFound, AmendmentDecided, AmendmentRecordedTwice, SignatureDateInvalid,
    AmendmentBelowOrdered and the refusals of a trade permission.
    """
    contract = _signed(tx, contract_id)
    amendment = _open_amendment(tx, contract, amendment_id)
    if amendment.contact_id is not None or amendment.approved_by == tx.actor.id:
        raise rules.AmendmentRecordedTwice(
            "the answer is recorded once, by another person than who approved for us"
        )
    rules.require_signed_day(
        said.confirmed_on, today=business_date(tx.now), not_before=business_date(amendment.proposed_at)
    )
    amendments.answer(tx, amendment, said)
    if said.answer == "declined":
        _reject(tx, contract, amendment, "the customer refused")
        return
    papers.told(tx, contract, "amendment_accepted_by_customer", amendment.content)
    if amendment.approved_by is not None:
        _amend(tx, contract, amendments.amendment(tx, contract, amendment_id))


def _amend(tx: Tx, contract: Signed, amendment: Amendment) -> None:
    """Both parties agreed: the next version stands from now on, the earlier ones stay as they were."""
    content, today = amendment.content, business_date(tx.now)
    assert amendment.confirmed_on is not None, "the customer has answered"
    before = papers.content_in_force(tx.conn, contract)
    _require_room(tx, contract, before, content)
    contract_forms.require_complete(content, on=today, past=_ordered_whole(tx, contract, before, content))
    require_permission(tx, contract.customer_id, content, today)
    amended = replace(
        contract,
        version=contract.version + 1,
        valid_until=content.valid_until,
        value_fen=content.value_fen,
    )
    papers.add_version(tx, amended, content, amendment.confirmed_on, amendment)
    amendments.confirm(tx, amended, amendment)
    event = events.contract_amended(
        amended,
        amendment_id=str(amendment.amendment_id),
        before_fen=contract.value_fen,
        revision=papers.next_revision(tx, contract),
        day=today,
    )
    outbox.append(tx, event)
    papers.told(tx, amended, "amended", content, amendment.reason)
    settle(tx, amended)


def _reject(tx: Tx, contract: Signed, amendment: Amendment, reason: str | None) -> None:
    amendments.reject(tx, amendment)
    papers.told(tx, contract, "amendment_rejected", amendment.content, reason)


def _require_room(tx: Tx, contract: Signed, before: Agreed, after: Agreed) -> None:
    """Raises AmendmentBelowOrdered where orders hold more than a line would leave, or another product."""
    products = {line.line_no: line.product_id for line in before.lines}
    wanted = {line.line_no: line for line in after.lines}
    for line_no, progress in papers.progress_of(tx.conn, contract.contract_id).items():
        line = wanted.get(line_no)
        progress.amend(0 if line is None else line.quantity)
        if line is not None and progress.ordered and line.product_id != products.get(line_no):
            raise rules.AmendmentBelowOrdered(
                Text("orders hold the product of line {line_no}", line_no=line_no)
            )


def _ordered_whole(tx: Tx, contract: Signed, before: Agreed, after: Content) -> set[int]:
    """Lines that leave nothing to order and keep their rate: they were taxed in their time, not by today's rates."""
    rates = {line.line_no: line.tax_bp for line in before.lines}
    ordered = {no: each.ordered for no, each in papers.progress_of(tx.conn, contract.contract_id).items()}
    return {
        line.line_no
        for line in after.lines or ()
        if line.line_no in rates
        and line.quantity == ordered.get(line.line_no)
        and line.tax_bp == rates[line.line_no]
    }


def _open_amendment(tx: Tx, contract: Signed, amendment_id: UUID) -> Amendment:
    found = amendments.amendment(tx, contract, amendment_id)
    if found.state != "proposed":
        raise rules.AmendmentDecided(Text("the amendment is {state}", state=found.state), state=found.state)
    return found


def request_termination(tx: Tx, contract_id: UUID, reason: str) -> None:
    """A business head asks to end it before its time. Raises ContractStateWrong, TerminationOpen."""
    contract = _signed(tx, contract_id)
    if amendments.termination(tx, contract) is not None:
        raise rules.TerminationOpen("a termination of this contract awaits its decision")
    amendments.request_termination(tx, contract, reason)
    _told_reason(tx, contract, "termination_requested", reason)


def decide_termination(tx: Tx, contract_id: UUID, *, approved: bool, reason: str | None) -> None:
    """The finance head, another person, ends it or lets it run; nothing that orders hold may be left.

    Raises ContractStateWrong, TerminationNotFound, OrdersOpen and the refusals of shared.approvals.
    """
    contract = _signed(tx, contract_id)
    asked = amendments.termination(tx, contract)
    if asked is None:
        raise rules.TerminationNotFound("nobody asks to terminate this contract")
    lines = papers.progress_of(tx.conn, contract_id)
    if approved and any(each.ordered > each.shipped for each in lines.values()):
        raise rules.OrdersOpen("orders hold goods of this contract that are not shipped")
    approval = Approval(
        required=rules.TERMINATION_APPROVERS,
        excluded=frozenset({asked.requested_by}),
        subject_hash=audit.digest([str(asked.termination_id), asked.reason]) or "",
    )
    papers.decide(tx, contract, "termination", approval, approved=approved, reason=reason)
    amendments.settle_termination(tx, asked, approved=approved)
    if not approved:
        _told_reason(tx, contract, "termination_rejected", reason)
        return
    papers.end(tx, contract, "terminated", asked.reason)
    event = events.contract_terminated(
        contract,
        unshipped_fen=_unshipped_fen(tx, contract),
        revision=papers.next_revision(tx, contract),
        day=business_date(tx.now),
    )
    outbox.append(tx, event)
    audit.record(tx, "contract.terminate", str(contract_id), after=[asked.reason, reason])


def _told_reason(tx: Tx, contract: Signed, change: str, reason: str | None) -> None:
    papers.changed(tx, contract, change, reason=reason)
    audit.record(tx, f"contract.{change}", str(contract.contract_id), after={"reason": reason})


def pass_time(tx: Tx) -> int:
    """Contracts whose first day has come are in force; those whose last day has passed are expired. At most BATCH."""
    today = business_date(tx.now)
    moved = papers.due(tx, today, BATCH)
    for contract in moved:
        if contract.valid_until >= today:
            papers.activate(tx, contract)
            continue
        papers.end(tx, contract, "expired", None)
        event = events.contract_expired(
            contract,
            unshipped_fen=_unshipped_fen(tx, contract),
            revision=papers.next_revision(tx, contract),
            day=today,
        )
        outbox.append(tx, event)
        audit.record(tx, "contract.expire", str(contract.contract_id), after=contract.valid_until)
    return len(moved)


def _signed(tx: Tx, contract_id: UUID) -> Signed:
    contract = papers.locked(tx, contract_id)
    if not isinstance(contract, Signed) or contract.state not in rules.OPEN_STATES:
        raise rules.ContractStateWrong(
            Text("the contract is {state}", state=contract.state), state=contract.state
        )
    return contract


def _unshipped_fen(tx: Tx, contract: Signed) -> int:
    """What the version in force is worth beyond what was shipped, at its prices."""
    progress = papers.progress_of(tx.conn, contract.contract_id)
    lines = papers.content_in_force(tx.conn, contract).lines
    return sum(
        (progress[line.line_no].quantity - progress[line.line_no].shipped) * line.unit_price_fen
        for line in lines
    )
