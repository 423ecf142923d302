"""What finance's people decide on a refund that is owed: approve, hold, release, and say that a channel refused.

Every step locks the refund's row first.
Source: F22, I35, G21, model 3.2 (Refund)
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from finance.kernel.receipt import Tender
from finance.refunds import rules
from finance.refunds.events import refund_failed
from finance.refunds.rules import State
from finance.refunds.store import held
from finance.refunds.store.held import Refund
from finance.refunds.tables import refund_decisions
from shared import outbox
from shared.approvals import Approval, Decision, SamePerson, decide_and_store
from shared.clock import business_date
from shared.errors import DomainError
from shared.languages import Text
from shared.transaction import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Of one of many refunds: why it was refused; nothing when it was done."""

    refund_id: UUID
    code: str | None = None
    detail: Any = None


def approve(tx: Tx, refund_id: UUID, *, by_bank: Sequence[str] = ()) -> None:
    """Let it be paid; `by_bank` names tenders whose channel refused, to be paid by bank transfer instead.

    Raises RefundUnknown, RefundNotAwaited, SamePerson, RefundBankUnfit.
    """
    refund = held.lock(tx, refund_id)
    rules.require("approve", refund.state)
    tries = held.tries_of(tx, refund_id)
    refused = {each.refused_tender for each in tries}
    for tender in by_bank:
        if tender not in refused or any(part.tender == tender and part.is_paid for part in refund.parts):
            raise rules.RefundBankUnfit(Text("{tender} was not refused by its channel", tender=tender))
        held.pay_by_bank(tx, refund_id, tender)
    [role] = [each for each in rules.APPROVERS if each in tx.actor.roles][:1]
    refund = held.lock(tx, refund_id)
    decision = decide(tx, refund, role=role, excluded={each.actor for each in tries})
    held.keep_approval(tx, refund, decision, {"by_bank": list(by_bank)})


def decide(tx: Tx, refund: Refund, *, role: str, excluded: Collection[str]) -> Decision:
    """Approved by who asks, in this role, as it is now. Raises RoleNotAwaited, SamePerson."""
    approval = Approval(
        required=frozenset({role}), excluded=frozenset(excluded), subject_hash=refund.subject_hash
    )
    subject = {"refund_id": refund.refund_id, "version": refund.version}
    decision, _ = decide_and_store(tx, refund_decisions, subject, approval, approved=True, reason=None)
    return decision


def approve_all(tx: Tx, refund_ids: Sequence[UUID]) -> list[Result]:
    """Each for itself: what is refused is told and stops no other. A list with a strange id is refused whole.

    Raises RefundUnknown.
    """
    held.require_known(tx, refund_ids)
    return each_alone(tx, sorted(set(refund_ids)), lambda refund_id: approve(tx, refund_id))


def hold(tx: Tx, refund_id: UUID, reason: str) -> None:
    """Stop the payment with a reason; it stays owed. Raises RefundUnknown, RefundNotAwaited."""
    refund = held.lock(tx, refund_id)
    rules.require("hold", refund.state)
    held.advance(tx, refund, State.HELD, "held", {"reason": reason}, held_reason=reason)


def release(tx: Tx, refund_id: UUID) -> None:
    """Let it be decided on anew. Raises RefundUnknown, RefundNotAwaited."""
    refund = held.lock(tx, refund_id)
    rules.require("release", refund.state)
    held.advance(tx, refund, State.VERIFIED, "released", {}, held_reason=None)


def fail(tx: Tx, refund_id: UUID, tender: str, reason: str) -> None:
    """The channel refused the payment: it stays owed, and is approved anew before it is tried again.

    Raises RefundUnknown, RefundNotAwaited, RefundPartUnknown, RefundPartPaid, RefundFailureUnknown,
    RoleNotAwaited, SamePerson.
    """
    refund = held.lock(tx, refund_id)
    rules.require("fail", refund.state)
    today = business_date(tx.now)
    rules.require_failure(reason, today)
    part = next((each for each in refund.parts if each.tender == tender), None)
    if part is None or part.means in {Tender.CREDIT, Tender.POINTS}:
        raise rules.RefundPartUnknown(Text("no channel pays {tender} of this refund", tender=tender))
    if part.is_paid:
        raise rules.RefundPartPaid(Text("the part of {tender} is paid", tender=tender))
    rules.require_payer(part, tx.actor.roles, refund.kind)
    require_another(tx, refund)
    detail = {"tender": tender, "means": part.means, "reason": reason}
    version = held.advance(tx, refund, State.FAILED, "failed", detail)
    outbox.append(
        tx,
        refund_failed(
            refund_id=str(refund_id),
            return_id=refund.return_id,
            sale_id=str(refund.sale_id),
            branch_id=refund.branch_id,
            customer_id=None if refund.customer_id is None else str(refund.customer_id),
            tender=tender,
            means=part.means,
            fen=part.fen,
            reason=reason,
            failed_on=today,
            version=version,
        ),
    )


def require_another(tx: Tx, refund: Refund) -> None:
    """Raises SamePerson."""
    if tx.actor.id == refund.approved_by:
        raise SamePerson("who approved a refund does not pay it")


def each_alone(tx: Tx, ids: Sequence[UUID], act: Callable[[UUID], None]) -> list[Result]:
    """The results of a step of many refunds, each in a savepoint of its own."""
    done: list[Result] = []
    for refund_id in ids:
        try:
            with tx.conn.begin_nested():
                act(refund_id)
        except DomainError as refusal:
            done.append(Result(refund_id=refund_id, code=refusal.code, detail=refusal.detail))
        else:
            done.append(Result(refund_id=refund_id))
    return done
