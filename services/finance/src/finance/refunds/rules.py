"""The steps of a refund that is owed: by whom, in which order, by when.

Source: F22, model 3.2
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from finance.kernel import dated
from finance.kernel.receipt import Channel, Tender
from shared.approvals import RoleNotAwaited
from shared.errors import Conflict, Invalid, NotFound
from shared.languages import Text

APPROVERS = ("finance_auditor", "accountant", "finance_head")
RELEASERS = ("finance_auditor", "finance_head")
DESK = ("accountant", "finance_head")
COUNTER = ("cashier", "store_manager")
BANK = "bank"
WITHOUT_REFERENCE = frozenset({"cash", "credit", "points"})
"""Paid by hand or in our own books; every other means has the channel's reference."""


class Kind(StrEnum):
    """Why it is owed: goods that were returned, or a receipt that should not have been rung up."""

    RETURN = "return"
    VOID = "void"


class State(StrEnum):
    VERIFIED = "verified"
    HELD = "held"
    APPROVED = "approved"
    PAYING = "paying"
    PAID = "paid"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class RefundUnknown(NotFound):
    code = "refund_unknown"
    cure = "Look it up in the list of refunds."


class VoidTooLate(Conflict):
    """A receipt is voided on its own business day; afterwards goods come back by a return."""

    code = "void_too_late"
    cure = "Write a return notice: it says why the goods come back."


class NotARetailReceipt(Conflict):
    """What was shipped on an order comes back by a return, with its delivery note."""

    code = "void_not_of_a_till"
    cure = "Write a return notice of the customer."


class SaleAlreadyRefunded(Conflict):
    code = "sale_already_refunded"
    cure = "Look at the refunds of the sale: `GET /v1/refunds?sale_id=…`."


class RefundNotAwaited(Conflict):
    """The refund's state does not allow this step."""

    code = "refund_step_not_awaited"
    cure = "Read the refund again; its state says what comes next."


class RefundPartUnknown(Invalid):
    """The refund owes nothing to this tender."""

    code = "refund_part_unknown"
    cure = "Name the parts that the refund lists."


class RefundPartPaid(Conflict):
    code = "refund_part_paid"
    cure = "Nothing needs doing: this part is paid."


class RefundReferenceUnfit(Invalid):
    """A payment through a channel names the channel's reference, cash and our own books have none."""

    code = "refund_reference_unfit"
    cure = "Give the reference in the form that the sentence names."


class RefundReferenceUsed(Conflict):
    """The channel's reference stands on another refund."""

    code = "refund_reference_used"
    cure = "Give each payment the reference of its own."


class RefundChanged(Conflict):
    """What was approved is not what would be paid."""

    code = "refund_changed_since_approval"
    cure = "Have the refund approved again."


class RefundDayUnfit(Invalid):
    """A payment is dated from the day it became owed until today; cash today."""

    code = "refund_day_unfit"
    cure = "State a day between the debt and today; cash is paid today."


class RefundFailureUnknown(Invalid):
    code = "refund_failure_reason_unknown"
    cure = "Use one of the reasons that the sentence lists."


class RefundBankUnfit(Invalid):
    """By bank instead of its channel goes only the part that its channel refused."""

    code = "refund_bank_unfit"
    cure = "Pay it by the channel that took the money; by bank only what its channel refused."


class RefundNotPayable(Conflict):
    """There is no such refund in this branch, it has no cash part, or a drawer paid it already."""

    code = "cash_refund_not_payable"
    cure = "Take a refund of this branch that is approved and awaits cash."


class RefundPaidOtherwise(Conflict):
    """A return that returns forgot was settled anew for another amount than was paid for it."""

    code = "refund_paid_otherwise"
    cure = (
        "Settle the return for what was paid, or correct the difference by a voucher and discard the event."
    )


class RefundsDiffer(Conflict):
    """Unpaid refunds are not the balance of refunds payable: the books were tampered with."""

    code = "refunds_differ_from_ledger"
    cure = "Tell the operator: unpaid refunds and refunds payable must be equal before the month closes."


FROM: Mapping[str, frozenset[str]] = {
    "approve": frozenset({State.VERIFIED, State.FAILED}),
    "hold": frozenset({State.VERIFIED, State.APPROVED, State.PAYING, State.FAILED}),
    "release": frozenset({State.HELD}),
    "pay": frozenset({State.APPROVED, State.PAYING}),
    "fail": frozenset({State.APPROVED, State.PAYING}),
}


def require(step: str, state: str) -> None:
    """Raises RefundNotAwaited, naming the steps that are awaited."""
    if state not in FROM[step]:
        awaited = sorted(each for each, states in FROM.items() if state in states)
        what_next = f"; awaited: {', '.join(awaited)}" if awaited else ""
        raise RefundNotAwaited(
            Text("the refund is {state}{what_next}", state=state, what_next=what_next),
            state=state,
            awaited=awaited,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a refund owes to one tender of its sale, and by which means it is paid."""

    tender: str
    means: str
    fen: int
    is_paid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    tender: str
    reference: str | None = None


def to_pay(parts: Sequence[Part], payment: Payment) -> Part:
    """The part that a payment settles. Raises RefundPartUnknown, RefundPartPaid, RefundReferenceUnfit."""
    part = next((each for each in parts if each.tender == payment.tender), None)
    if part is None:
        raise RefundPartUnknown(Text("this refund owes nothing to {tender}", tender=payment.tender))
    if part.is_paid:
        raise RefundPartPaid(Text("the part of {tender} is paid", tender=payment.tender))
    if (payment.reference is None) != (part.means in WITHOUT_REFERENCE):
        needed = "no reference" if part.means in WITHOUT_REFERENCE else "the channel's reference"
        raise RefundReferenceUnfit(
            Text("{means} takes {needed}", means=part.means, needed=needed),
            errors=[{"path": "parts.reference", "message": needed}],
        )
    return part


def require_voidable(channel: str, business_date: date, today: date, *, has_refunds: bool) -> None:
    """Raises NotARetailReceipt, VoidTooLate, SaleAlreadyRefunded."""
    if channel == Channel.WHOLESALE:
        raise NotARetailReceipt("what was shipped on an order is not voided")
    if business_date != today:
        raise VoidTooLate(Text("the receipt is of {day}, today is {today}", day=business_date, today=today))
    if has_refunds:
        raise SaleAlreadyRefunded("something of this sale has come back or was voided")


def require_payer(part: Part, roles: Collection[str], kind: str) -> None:
    """Cash is paid at the counter, everything else at finance's desk; of a void all, by the till's own terminals.

    Raises RoleNotAwaited.
    """
    awaited = COUNTER if part.means == Tender.CASH or kind == Kind.VOID else DESK
    if not set(awaited) & set(roles):
        raise RoleNotAwaited(
            Text("awaited: {awaited}", awaited=", ".join(sorted(awaited))), awaited=sorted(awaited)
        )


def days_to_pay(goods_back_on: date) -> int:
    """Days from the day the goods came back to the last day to pay. What came before the law, it allows no less."""
    days: int = dated.value("refund_rules", "refund_within_days", goods_back_on)
    return days


def due_on(goods_back_on: date) -> date:
    """The last day to pay. Source: G21"""
    return goods_back_on + timedelta(days=days_to_pay(goods_back_on))


def require_failure(reason: str, day: date) -> None:
    """Raises RefundFailureUnknown."""
    known = sorted(row["reason"] for row in dated.in_force("refund_failures", day))
    if reason not in known:
        raise RefundFailureUnknown(
            Text("a payment fails for one of {known}", known=", ".join(known)), reasons=known
        )
