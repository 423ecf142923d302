"""HTTP: refunds, from verified to paid.

Source: F22
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response

from finance import cash, printing, refund_notices
from finance.refunds import queries, rules, schemas
from finance.refunds.commands import paying, steps, void
from finance.refunds.rules import Payment
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

refunds = Blueprint("refunds", __name__, description="What is owed for goods that came back.")

drawer_refunds = Blueprint("drawer_refunds", __name__, tag="cash")

READERS = (
    *rules.APPROVERS,
    *rules.COUNTER,
    "invoicing_clerk",
    "cs_agent",
    "cs_manager",
    "management",
)


@refunds.get("/refunds")
@query
@admits(*READERS)
@refunds.arguments(schemas.RefundsArgs, location="query")
@refunds.response(200, schemas.RefundsPage)
def list_refunds(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Refunds by state, with the last day to pay; `overdue=true` shows the unpaid ones past it."""
    return queries.refunds(tx, args)


@refunds.get("/refund-liabilities")
@query
@admits(*rules.APPROVERS, "management")
@refunds.arguments(schemas.RefundLiabilitiesArgs, location="query")
@refunds.response(200, schemas.RefundLiabilitiesView)
def get_liabilities(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What is owed by state and how much of it is late, and the proof that it is the balance of refunds payable."""
    return queries.liabilities(tx, args)


@refunds.get("/refunds/<uuid:refund_id>")
@query
@admits(*READERS)
@refunds.response(200, schemas.RefundWithSteps)
def get_refund(tx: Tx, refund_id: UUID) -> dict[str, Any]:
    """One refund with its lines and every step."""
    return queries.refund(tx, refund_id)


@refunds.get("/refund-notices/<uuid:refund_id>")
@query
@admits(*READERS)
@refunds.response(200, refund_notices.RefundNoticeView)
def get_refund_notice(tx: Tx, refund_id: UUID) -> dict[str, Any]:
    """What the customer is told of the refund."""
    return refund_notices.notice(queries.refund(tx, refund_id))


@refunds.get("/refund-notices/<uuid:refund_id>/pdf")
@query
@admits(*READERS)
@refunds.doc(**printing.DOC)
def print_refund_notice(tx: Tx, refund_id: UUID) -> Response:
    """The notice on paper."""
    return printing.shown(refund_notices.printed(queries.refund(tx, refund_id)), f"refund-{refund_id}")


@refunds.post("/sales/<uuid:sale_id>/void")
@command
@admits(void.APPROVER)
@refunds.arguments(schemas.VoidBody)
@refunds.response(200, schemas.RefundWithSteps)
def void_sale(tx: Tx, body: dict[str, Any], sale_id: UUID) -> dict[str, Any]:
    """Void a receipt of today that should not have been rung up; what was paid is then paid back at the counter."""
    return queries.refund(tx, void.void(tx, sale_id, body["reason"]))


@refunds.post("/refunds/decisions/bulk")
@command
@admits(*rules.APPROVERS)
@refunds.arguments(schemas.RefundDecisionsBody)
@refunds.response(200, schemas.RefundResults)
def approve_refunds(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Approve many at once; each stands for itself, and says why where it was refused."""
    return {"items": steps.approve_all(tx, body["refund_ids"])}


@refunds.post("/refunds/pay/bulk")
@command
@admits(*rules.DESK)
@refunds.arguments(schemas.RefundPaymentsBody)
@refunds.response(200, schemas.RefundResults)
def pay_refunds(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Pay many at once through their channels; each stands for itself. Cash is paid at the counter."""
    wanted = [(each["refund_id"], _payments(each["parts"])) for each in body["payments"]]
    return {"items": paying.pay_all(tx, wanted, body["paid_on"])}


@refunds.post("/refunds/<uuid:refund_id>/decisions")
@command
@admits(*rules.APPROVERS)
@refunds.arguments(schemas.RefundDecisionBody)
@refunds.response(200, schemas.RefundWithSteps)
def approve_refund(tx: Tx, body: dict[str, Any], refund_id: UUID) -> dict[str, Any]:
    """Let a refund be paid, by somebody else; also again after its channel refused."""
    steps.approve(tx, refund_id, by_bank=body["by_bank"])
    return queries.refund(tx, refund_id)


@refunds.post("/refunds/<uuid:refund_id>/hold")
@command
@admits(*rules.APPROVERS)
@refunds.arguments(schemas.RefundReasonBody)
@refunds.response(200, schemas.RefundWithSteps)
def hold_refund(tx: Tx, body: dict[str, Any], refund_id: UUID) -> dict[str, Any]:
    """Stop its payment with a reason. It stays owed: what was accepted cannot be refused here."""
    steps.hold(tx, refund_id, body["reason"])
    return queries.refund(tx, refund_id)


@refunds.post("/refunds/<uuid:refund_id>/release")
@command
@admits(*rules.RELEASERS)
@refunds.response(200, schemas.RefundWithSteps)
def release_refund(tx: Tx, refund_id: UUID) -> dict[str, Any]:
    """End the hold; it is approved anew."""
    steps.release(tx, refund_id)
    return queries.refund(tx, refund_id)


@refunds.post("/refunds/<uuid:refund_id>/pay")
@command
@admits(*rules.DESK, *rules.COUNTER)
@refunds.arguments(schemas.RefundPayBody)
@refunds.response(200, schemas.RefundWithSteps)
def pay_refund(tx: Tx, body: dict[str, Any], refund_id: UUID) -> dict[str, Any]:
    """Pay parts of it to the tenders of the sale: cash at the counter, the rest at finance's desk."""
    paying.pay(tx, refund_id, _payments(body["parts"]), body["paid_on"])
    return queries.refund(tx, refund_id)


@refunds.post("/refunds/<uuid:refund_id>/fail")
@command
@admits(*rules.DESK, *rules.COUNTER)
@refunds.arguments(schemas.RefundFailureBody)
@refunds.response(200, schemas.RefundWithSteps)
def fail_refund(tx: Tx, body: dict[str, Any], refund_id: UUID) -> dict[str, Any]:
    """Say that a channel refused the payment."""
    steps.fail(tx, refund_id, body["tender"], body["reason"])
    return queries.refund(tx, refund_id)


@drawer_refunds.post("/cash-sessions/<uuid:session_id>/refunds")
@command
@admits(*cash.HANDLERS)
@drawer_refunds.arguments(schemas.CashRefundBody)
@drawer_refunds.response(201, cash.CashMovementView)
def pay_from_drawer(tx: Tx, body: dict[str, Any], session_id: UUID) -> dict[str, Any]:
    """Pay the cash part of an approved refund out of this drawer, or say that this drawer paid what the safe paid."""
    return asdict(paying.pay_from_drawer(tx, session_id, body["refund_id"]))


def _payments(parts: Sequence[Mapping[str, Any]]) -> list[Payment]:
    return [Payment(tender=each["tender"], reference=each["reference"]) for each in parts]
