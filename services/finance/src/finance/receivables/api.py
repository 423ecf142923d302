"""HTTP: open items, payments, allocations, disputes, write-offs, statements of account, dunning."""

from typing import Any
from uuid import UUID

from flask import Response

from finance.dunning import ReceivableReasonBody
from finance.kernel.roles import DEBT_COLLECTORS, DEBT_KEEPERS, DEBT_READERS
from finance.receivables.commands import payments, recoveries, write_offs
from finance.receivables.model import Received, Share
from finance.receivables.queries import ageing, items
from finance.receivables.schemas import debts, lists
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

receivables = Blueprint(
    "receivables", __name__, description="What customers owe, from the sale to the court."
)


def _received(body: dict[str, Any]) -> Received:
    return Received(**{**body, "allocations": [Share(**each) for each in body["allocations"]]})


@receivables.get("/receivable-items")
@query
@admits(*DEBT_READERS, "cs_agent", "cs_manager")
@receivables.arguments(debts.ReceivablesArgs, location="query")
@receivables.response(200, debts.ReceivablesPage)
def list_receivables(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Open items, per instalment; payments and credit notes are items below 0."""
    return items.items(tx, args)


@receivables.get("/ageing-reports")
@query
@admits(*DEBT_READERS)
@receivables.arguments(debts.AgeingArgs, location="query")
@receivables.response(200, debts.AgeingView)
def get_ageing(tx: Tx, args: dict[str, Any]) -> Response:
    """What was open at the end of a day, by days past due; the buckets sum to the balance of 1122."""
    return Response(ageing.ageing(tx, args), mimetype="application/json")


@receivables.get("/receivable-proofs")
@query
@admits(*DEBT_READERS)
@receivables.arguments(debts.ReceivableProofArgs, location="query")
@receivables.response(200, debts.ReceivableProofView)
def get_proof(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Σ open items against the balance of 1122 at the end of a day."""
    return items.proof(tx, args)


@receivables.get("/receivable-indicators")
@query
@admits(*DEBT_READERS)
@receivables.arguments(debts.IndicatorsArgs, location="query")
@receivables.response(200, debts.IndicatorsView)
def get_indicators(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Days sales outstanding, collection effectiveness and dunning success of a window."""
    return items.indicators(tx, args)


@receivables.get("/receivable-items/<uuid:item_id>")
@query
@admits(*DEBT_READERS)
@receivables.response(200, debts.ReceivableWithAllocations)
def get_receivable(tx: Tx, item_id: UUID) -> dict[str, Any]:
    """One item and what was set against it."""
    return items.item(tx, item_id)


@receivables.get("/allocations")
@query
@admits(*DEBT_READERS)
@receivables.arguments(lists.AllocationsArgs, location="query")
@receivables.response(200, lists.AllocationsPage)
def list_allocations(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What was set against what, oldest day first."""
    return items.allocations(tx, args)


@receivables.post("/allocations")
@command
@admits(*DEBT_KEEPERS)
@receivables.arguments(debts.AllocationBody)
@receivables.response(201, debts.AllocationDone)
def allocate(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Set a credit against a debt of the same customer and branch. Nothing is booked."""
    made = payments.allocate(tx, credit_id=body["credit_id"], debt_id=body["debt_id"], fen=body["amount_fen"])
    return {
        "allocation_id": made,
        "credit": items.item(tx, body["credit_id"]),
        "debt": items.item(tx, body["debt_id"]),
    }


@receivables.post("/allocations/<uuid:allocation_id>/undo")
@command
@admits(*DEBT_KEEPERS)
@receivables.arguments(ReceivableReasonBody)
@receivables.response(204)
def undo_allocation(tx: Tx, body: dict[str, Any], allocation_id: UUID) -> None:
    """Take a match back; the items are open again."""
    payments.undo_allocation(tx, allocation_id, body["reason"])


@receivables.post("/receivable-items/<uuid:item_id>/dispute")
@command
@admits(*DEBT_COLLECTORS, "cs_agent", "cs_manager")
@receivables.arguments(ReceivableReasonBody)
@receivables.response(200, debts.ReceivableWithAllocations)
def dispute_receivable(tx: Tx, body: dict[str, Any], item_id: UUID) -> dict[str, Any]:
    """The customer disputes the debt: dunning pauses."""
    payments.dispute(tx, item_id, body["reason"])
    return items.item(tx, item_id)


@receivables.post("/receivable-items/<uuid:item_id>/resolve")
@command
@admits("finance_head")
@receivables.arguments(ReceivableReasonBody)
@receivables.response(200, debts.ReceivableWithAllocations)
def resolve_dispute(tx: Tx, body: dict[str, Any], item_id: UUID) -> dict[str, Any]:
    """What is still open stands; dunning goes on where it was."""
    payments.resolve_dispute(tx, item_id, body["reason"])
    return items.item(tx, item_id)


@receivables.post("/receivable-items/<uuid:item_id>/write-offs")
@command
@admits(*DEBT_KEEPERS)
@receivables.arguments(debts.WriteOffBody)
@receivables.response(201, debts.WriteOffView)
def request_write_off(tx: Tx, body: dict[str, Any], item_id: UUID) -> dict[str, Any]:
    """Ask to write off a debt; finance head and management decide, never who asked."""
    return items.write_off(tx, write_offs.request_write_off(tx, item_id, body["amount_fen"], body["reason"]))


@receivables.get("/write-offs")
@query
@admits(*DEBT_READERS)
@receivables.arguments(lists.WriteOffsArgs, location="query")
@receivables.response(200, lists.WriteOffsPage)
def list_write_offs(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Write-offs, for instance those that wait for a decision; oldest request first."""
    return items.write_offs(tx, args)


@receivables.post("/write-offs/<uuid:write_off_id>/decisions")
@command
@admits(*sorted(write_offs.APPROVERS))
@receivables.arguments(DecisionBody)
@receivables.response(200, debts.WriteOffView)
def decide_write_off(tx: Tx, body: dict[str, Any], write_off_id: UUID) -> dict[str, Any]:
    """With the second approval it is booked: to the allowance, or to expense for small enterprises."""
    write_offs.decide_write_off(tx, write_off_id, approved=body["approved"], reason=body["reason"])
    return items.write_off(tx, write_off_id)


@receivables.post("/receivable-items/<uuid:item_id>/recoveries")
@command
@admits(*DEBT_KEEPERS)
@receivables.arguments(debts.RecoveryBody)
@receivables.response(201, debts.ReceivableWithAllocations)
def recover(tx: Tx, body: dict[str, Any], item_id: UUID) -> dict[str, Any]:
    """Money came for a debt that was written off: it stands again by as much, and is paid."""
    made = recoveries.recover(tx, item_id, credit_id=body["credit_id"], fen=body["amount_fen"])
    return items.item(tx, made)


@receivables.post("/payments")
@command
@admits("cashier", "accountant")
@receivables.arguments(debts.ReceivedPaymentBody)
@receivables.response(201, debts.ReceivedPaymentView)
def receive_payment(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Book money of a customer, and set it against what it pays."""
    return items.payment(tx, payments.receive_payment(tx, _received(body)))


@receivables.get("/payments")
@query
@admits(*DEBT_READERS, "cashier")
@receivables.arguments(lists.PaymentsArgs, location="query")
@receivables.response(200, lists.PaymentsPage)
def list_payments(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Payments of customers, by the day they came."""
    return items.payments(tx, args)


@receivables.get("/payments/<uuid:payment_id>")
@query
@admits(*DEBT_READERS, "cashier")
@receivables.response(200, debts.ReceivedPaymentView)
def get_payment(tx: Tx, payment_id: UUID) -> dict[str, Any]:
    """One payment with its allocations."""
    return items.payment(tx, payment_id)


@receivables.post("/payments/<uuid:payment_id>/reverse")
@command
@admits("finance_head")
@receivables.arguments(ReceivableReasonBody)
@receivables.response(200, debts.ReceivedPaymentView)
def reverse_payment(tx: Tx, body: dict[str, Any], payment_id: UUID) -> dict[str, Any]:
    """It bounced, or was booked in error: booked back today, and what it paid is open again."""
    payments.reverse_payment(tx, payment_id, body["reason"])
    return items.payment(tx, payment_id)


@receivables.post("/credit-terms")
@command
@admits("finance_head")
@receivables.arguments(debts.CreditTermsBody)
@receivables.response(201, debts.CreditTermsList)
def decide_terms(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Terms of a customer from a day on; without any, the default of the house holds."""
    payments.decide_terms(tx, body["customer_id"], body["effective_from"], body["instalments"])
    return {"items": items.terms(tx, body["customer_id"])}


@receivables.get("/credit-terms")
@query
@admits(*DEBT_READERS)
@receivables.arguments(debts.CreditTermsArgs, location="query")
@receivables.response(200, debts.CreditTermsList)
def list_terms(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """The terms of a customer, oldest first."""
    return {"items": items.terms(tx, args["customer_id"])}
