"""HTTP: open items, payments, allocations, disputes, write-offs, statements of account, dunning."""

from typing import Any
from uuid import UUID

from flask import Response

from finance import printing
from finance.receivables import (
    accounts,
    ageing,
    commands,
    dunning,
    list_schemas,
    papers,
    queries,
    recoveries,
    schemas,
    write_offs,
)
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

receivables = Blueprint(
    "receivables", __name__, description="What customers owe, from the sale to the court."
)

BOOKKEEPERS = ("accountant", "finance_head")
COLLECTORS = (*BOOKKEEPERS, "salesperson")
READERS = (*COLLECTORS, "business_head", "store_manager", "finance_auditor", "management")


# --- items ------------------------------------------------------------------------------------------


@receivables.get("/receivable-items")
@query
@admits(*READERS, "cs_agent", "cs_manager")
@receivables.arguments(schemas.ReceivablesArgs, location="query")
@receivables.response(200, schemas.ReceivablesPage)
def list_receivables(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Open items, per instalment; payments and credit notes are items below 0."""
    return queries.items(tx, args)


@receivables.get("/ageing-reports")
@query
@admits(*READERS)
@receivables.arguments(schemas.AgeingArgs, location="query")
@receivables.response(200, schemas.AgeingView)
def get_ageing(tx: Tx, args: dict[str, Any]) -> Response:
    """What was open at the end of a day, by days past due; the buckets sum to the balance of 1122."""
    return Response(ageing.ageing(tx, args), mimetype="application/json")


@receivables.get("/receivable-proofs")
@query
@admits(*READERS)
@receivables.arguments(schemas.ReceivableProofArgs, location="query")
@receivables.response(200, schemas.ReceivableProofView)
def get_proof(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Σ open items against the balance of 1122 at the end of a day."""
    return queries.proof(tx, args)


@receivables.get("/receivable-indicators")
@query
@admits(*READERS)
@receivables.arguments(schemas.IndicatorsArgs, location="query")
@receivables.response(200, schemas.IndicatorsView)
def get_indicators(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Days sales outstanding, collection effectiveness and dunning success of a window."""
    return queries.indicators(tx, args)


@receivables.get("/receivable-items/<uuid:item_id>")
@query
@admits(*READERS)
@receivables.response(200, schemas.ReceivableWithAllocations)
def get_receivable(tx: Tx, item_id: UUID) -> dict[str, Any]:
    """One item and what was set against it."""
    return queries.item(tx, item_id)


@receivables.get("/allocations")
@query
@admits(*READERS)
@receivables.arguments(list_schemas.AllocationsArgs, location="query")
@receivables.response(200, list_schemas.AllocationsPage)
def list_allocations(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What was set against what, oldest day first."""
    return queries.allocations(tx, args)


@receivables.post("/allocations")
@command
@admits(*BOOKKEEPERS)
@receivables.arguments(schemas.AllocationBody)
@receivables.response(201, schemas.AllocationDone)
def allocate(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Set a credit against a debt of the same customer and branch. Nothing is booked."""
    made = commands.allocate(tx, credit_id=body["credit_id"], debt_id=body["debt_id"], fen=body["amount_fen"])
    return {
        "allocation_id": made,
        "credit": queries.item(tx, body["credit_id"]),
        "debt": queries.item(tx, body["debt_id"]),
    }


@receivables.post("/allocations/<uuid:allocation_id>/undo")
@command
@admits(*BOOKKEEPERS)
@receivables.arguments(schemas.ReceivableReasonBody)
@receivables.response(204)
def undo_allocation(tx: Tx, body: dict[str, Any], allocation_id: UUID) -> None:
    """Take a match back; the items are open again."""
    commands.undo_allocation(tx, allocation_id, body["reason"])


@receivables.post("/receivable-items/<uuid:item_id>/dispute")
@command
@admits(*COLLECTORS, "cs_agent", "cs_manager")
@receivables.arguments(schemas.ReceivableReasonBody)
@receivables.response(200, schemas.ReceivableWithAllocations)
def dispute_receivable(tx: Tx, body: dict[str, Any], item_id: UUID) -> dict[str, Any]:
    """The customer disputes the debt: dunning pauses."""
    commands.dispute(tx, item_id, body["reason"])
    return queries.item(tx, item_id)


@receivables.post("/receivable-items/<uuid:item_id>/resolve")
@command
@admits("finance_head")
@receivables.arguments(schemas.ReceivableReasonBody)
@receivables.response(200, schemas.ReceivableWithAllocations)
def resolve_dispute(tx: Tx, body: dict[str, Any], item_id: UUID) -> dict[str, Any]:
    """What is still open stands; dunning goes on where it was."""
    commands.resolve_dispute(tx, item_id, body["reason"])
    return queries.item(tx, item_id)


# --- write-offs -------------------------------------------------------------------------------------


@receivables.post("/receivable-items/<uuid:item_id>/write-offs")
@command
@admits(*BOOKKEEPERS)
@receivables.arguments(schemas.WriteOffBody)
@receivables.response(201, schemas.WriteOffView)
def request_write_off(tx: Tx, body: dict[str, Any], item_id: UUID) -> dict[str, Any]:
    """Ask to write off a debt; finance head and management decide, never who asked."""
    return queries.write_off(
        tx, write_offs.request_write_off(tx, item_id, body["amount_fen"], body["reason"])
    )


@receivables.get("/write-offs")
@query
@admits(*READERS)
@receivables.arguments(list_schemas.WriteOffsArgs, location="query")
@receivables.response(200, list_schemas.WriteOffsPage)
def list_write_offs(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Write-offs, for instance those that wait for a decision; oldest request first."""
    return queries.write_offs(tx, args)


@receivables.post("/write-offs/<uuid:write_off_id>/decisions")
@command
@admits(*sorted(write_offs.APPROVERS))
@receivables.arguments(DecisionBody)
@receivables.response(200, schemas.WriteOffView)
def decide_write_off(tx: Tx, body: dict[str, Any], write_off_id: UUID) -> dict[str, Any]:
    """With the second approval it is booked: to the allowance, or to expense for small enterprises."""
    write_offs.decide_write_off(tx, write_off_id, approved=body["approved"], reason=body["reason"])
    return queries.write_off(tx, write_off_id)


@receivables.post("/receivable-items/<uuid:item_id>/recoveries")
@command
@admits(*BOOKKEEPERS)
@receivables.arguments(schemas.RecoveryBody)
@receivables.response(201, schemas.ReceivableWithAllocations)
def recover(tx: Tx, body: dict[str, Any], item_id: UUID) -> dict[str, Any]:
    """Money came for a debt that was written off: it stands again by as much, and is paid."""
    made = recoveries.recover(tx, item_id, credit_id=body["credit_id"], fen=body["amount_fen"])
    return queries.item(tx, made)


# --- payments and terms -----------------------------------------------------------------------------


@receivables.post("/payments")
@command
@admits("cashier", "accountant")
@receivables.arguments(schemas.ReceivedPaymentBody)
@receivables.response(201, schemas.ReceivedPaymentView)
def receive_payment(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Book money of a customer, and set it against what it pays."""
    return queries.payment(tx, commands.receive_payment(tx, body))


@receivables.get("/payments")
@query
@admits(*READERS, "cashier")
@receivables.arguments(list_schemas.PaymentsArgs, location="query")
@receivables.response(200, list_schemas.PaymentsPage)
def list_payments(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Payments of customers, by the day they came."""
    return queries.payments(tx, args)


@receivables.get("/payments/<uuid:payment_id>")
@query
@admits(*READERS, "cashier")
@receivables.response(200, schemas.ReceivedPaymentView)
def get_payment(tx: Tx, payment_id: UUID) -> dict[str, Any]:
    """One payment with its allocations."""
    return queries.payment(tx, payment_id)


@receivables.post("/payments/<uuid:payment_id>/reverse")
@command
@admits("finance_head")
@receivables.arguments(schemas.ReceivableReasonBody)
@receivables.response(200, schemas.ReceivedPaymentView)
def reverse_payment(tx: Tx, body: dict[str, Any], payment_id: UUID) -> dict[str, Any]:
    """It bounced, or was booked in error: booked back today, and what it paid is open again."""
    commands.reverse_payment(tx, payment_id, body["reason"])
    return queries.payment(tx, payment_id)


@receivables.post("/credit-terms")
@command
@admits("finance_head")
@receivables.arguments(schemas.CreditTermsBody)
@receivables.response(201, schemas.CreditTermsList)
def decide_terms(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Terms of a customer from a day on; without any, the default of the house holds."""
    commands.decide_terms(tx, body["customer_id"], body["effective_from"], body["instalments"])
    return {"items": queries.terms(tx, body["customer_id"])}


@receivables.get("/credit-terms")
@query
@admits(*READERS)
@receivables.arguments(schemas.CreditTermsArgs, location="query")
@receivables.response(200, schemas.CreditTermsList)
def list_terms(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """The terms of a customer, oldest first."""
    return {"items": queries.terms(tx, args["customer_id"])}


# --- statements of account --------------------------------------------------------------------------


@receivables.post("/customer-statements")
@command
@admits(*BOOKKEEPERS)
@receivables.arguments(schemas.CustomerStatementBody)
@receivables.response(201, schemas.CustomerStatementView)
def issue_customer_statement(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Freeze what a customer owes at the end of a day (对账函)."""
    return queries.statement(tx, accounts.issue(tx, body["customer_id"], body["as_of"]))


@receivables.get("/customer-statements")
@query
@admits(*READERS)
@receivables.arguments(schemas.CustomerStatementsArgs, location="query")
@receivables.response(200, schemas.CustomerStatementsPage)
def list_customer_statements(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Statements of account, oldest first."""
    return queries.statements(tx, args)


@receivables.get("/customer-statements/<uuid:customer_statement_id>")
@query
@admits(*READERS)
@receivables.response(200, schemas.CustomerStatementView)
def get_customer_statement(tx: Tx, customer_statement_id: UUID) -> dict[str, Any]:
    """One statement of account with its items and their answers."""
    return queries.statement(tx, customer_statement_id)


@receivables.get("/customer-statements/<uuid:customer_statement_id>/pdf")
@query
@admits(*READERS)
@receivables.arguments(schemas.PaperArgs, location="query")
@receivables.doc(**printing.DOC)
def print_customer_statement(tx: Tx, args: dict[str, Any], customer_statement_id: UUID) -> Response:
    """The paper, for the customer to seal."""
    row = queries.statement(tx, customer_statement_id)
    return printing.shown(
        papers.statement(row, queries.documents(tx, row["items"]), args["lang"]),
        f"statement-{customer_statement_id}",
    )


@receivables.post("/customer-statements/<uuid:customer_statement_id>/send")
@command
@admits(*COLLECTORS)
@receivables.arguments(schemas.CustomerStatementSentBody)
@receivables.response(200, schemas.CustomerStatementView)
def send_customer_statement(tx: Tx, body: dict[str, Any], customer_statement_id: UUID) -> dict[str, Any]:
    """It was sent to the customer."""
    accounts.send(tx, customer_statement_id, body["channel"])
    return queries.statement(tx, customer_statement_id)


@receivables.post("/customer-statements/<uuid:customer_statement_id>/answer")
@command
@admits(*COLLECTORS)
@receivables.arguments(schemas.CustomerStatementAnswersBody)
@receivables.response(200, schemas.CustomerStatementView)
def answer_customer_statement(tx: Tx, body: dict[str, Any], customer_statement_id: UUID) -> dict[str, Any]:
    """The customer's word, item by item; disputed debts pause dunning."""
    accounts.answer(tx, customer_statement_id, body["contact_id"], body["answers"])
    return queries.statement(tx, customer_statement_id)


# --- dunning ----------------------------------------------------------------------------------------


@receivables.get("/dunning-cases")
@query
@admits(*READERS)
@receivables.arguments(schemas.DunningCasesArgs, location="query")
@receivables.response(200, schemas.DunningCasesPage)
def list_dunning_cases(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Cases, for instance those whose action is due."""
    return queries.cases(tx, args)


@receivables.get("/dunning-cases/<uuid:case_id>")
@query
@admits(*READERS)
@receivables.response(200, schemas.DunningCaseWithActions)
def get_dunning_case(tx: Tx, case_id: UUID) -> dict[str, Any]:
    """One case with all that was done."""
    return queries.case(tx, case_id)


@receivables.get("/dunning-cases/<uuid:case_id>/scripts")
@query
@admits(*READERS)
@receivables.arguments(schemas.PaperArgs, location="query")
@receivables.response(200, schemas.DunningScriptView)
def get_dunning_script(tx: Tx, args: dict[str, Any], case_id: UUID) -> dict[str, Any]:
    """What to say on the phone, with the figures of today; name its version with the action."""
    found, today = queries.case(tx, case_id), business_date(tx.now)
    values = {
        "as_of": today.isoformat(),
        "count": 1,
        "total": printing.yuan(found["open_fen"]),
        "days": max(0, (today - found["due_on"]).days),
    }
    return papers.script("phone", args["lang"], today, values)


@receivables.post("/dunning-cases/<uuid:case_id>/actions")
@command
@admits(*COLLECTORS)
@receivables.arguments(schemas.DunningActionBody)
@receivables.response(201, schemas.DunningCaseWithActions)
def record_dunning_action(tx: Tx, body: dict[str, Any], case_id: UUID) -> dict[str, Any]:
    """What was done and what came of it: a promise pauses until its day, a dispute until it is resolved."""
    dunning.record_action(tx, case_id, body)
    return queries.case(tx, case_id)


@receivables.post("/dunning-cases/<uuid:case_id>/block")
@command
@admits("finance_head")
@receivables.arguments(schemas.ReceivableReasonBody)
@receivables.response(200, schemas.DunningCaseWithActions)
def block_dunning(tx: Tx, body: dict[str, Any], case_id: UUID) -> dict[str, Any]:
    """Nobody is reminded of this debt until it is unblocked."""
    dunning.block(tx, case_id, body["reason"])
    return queries.case(tx, case_id)


@receivables.post("/dunning-cases/<uuid:case_id>/unblock")
@command
@admits("finance_head")
@receivables.arguments(schemas.ReceivableReasonBody)
@receivables.response(200, schemas.DunningCaseWithActions)
def unblock_dunning(tx: Tx, body: dict[str, Any], case_id: UUID) -> dict[str, Any]:
    """The ladder goes on where it was."""
    dunning.unblock(tx, case_id, body["reason"])
    return queries.case(tx, case_id)


@receivables.post("/dunning-letters")
@command
@admits(*BOOKKEEPERS)
@receivables.arguments(schemas.DunningLetterBody)
@receivables.response(201, schemas.DunningLetterView)
def issue_dunning_letter(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """One letter for every overdue item of a customer; it does the action of each case it was due for."""
    return queries.letter(tx, dunning.issue_letter(tx, body["customer_id"], body["level"], body["language"]))


@receivables.get("/dunning-letters")
@query
@admits(*READERS)
@receivables.arguments(list_schemas.DunningLettersArgs, location="query")
@receivables.response(200, list_schemas.DunningLettersPage)
def list_dunning_letters(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Letters issued, oldest first."""
    return queries.letters(tx, args)


@receivables.get("/dunning-letters/<uuid:letter_id>")
@query
@admits(*READERS)
@receivables.response(200, schemas.DunningLetterView)
def get_dunning_letter(tx: Tx, letter_id: UUID) -> dict[str, Any]:
    """One letter with its frozen items."""
    return queries.letter(tx, letter_id)


@receivables.get("/dunning-letters/<uuid:letter_id>/pdf")
@query
@admits(*READERS)
@receivables.doc(**printing.DOC)
def print_dunning_letter(tx: Tx, letter_id: UUID) -> Response:
    """The letter on paper."""
    row = queries.letter(tx, letter_id)
    return printing.shown(papers.letter(row, queries.documents(tx, row["items"])), f"letter-{letter_id}")
