"""HTTP: matches of bank lines, and reconciliations.

Source: F3, F16
"""

from typing import Any
from uuid import UUID

from finance import bank_statements
from finance.bank_matching import queries, schemas
from finance.bank_matching.commands import matching, reconciling
from finance.kernel.period import parse_month
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

bank_matching = Blueprint("bank_matching", __name__, tag="bank")

READERS = ("accountant", "cashier", "finance_auditor", "finance_head", "management")


@bank_matching.post("/bank-accounts/<uuid:account_id>/close")
@command
@admits("finance_head")
@bank_matching.arguments(schemas.BankCloseBody)
@bank_matching.response(200, bank_statements.BankAccountView)
def close_account(tx: Tx, body: dict[str, Any], account_id: UUID) -> dict[str, Any]:
    """Close a bank account with its last day and a zero balance; no later month asks for it."""
    return reconciling.close_account(tx, account_id, body["closed_on"], body["successor_id"])


@bank_matching.get("/unmatched-bank-lines")
@query
@admits(*READERS)
@bank_matching.arguments(schemas.BankAccountArgs, location="query")
@bank_matching.response(200, schemas.BankLinesPage)
def list_unmatched(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Lines nobody matched, oldest first; `overdue` after five business days."""
    return queries.unmatched(tx, args["account_id"], args)


@bank_matching.get("/bank-lines")
@query
@admits(*READERS)
@bank_matching.arguments(schemas.BankLinesArgs, location="query")
@bank_matching.response(200, schemas.BankAnyLinesPage)
def list_lines(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Every line the bank told of, by its booking day, with the match that explains it."""
    return queries.lines(tx, args["account_id"], args)


@bank_matching.get("/bank-matches")
@query
@admits(*READERS)
@bank_matching.arguments(schemas.BankMatchesArgs, location="query")
@bank_matching.response(200, schemas.BankMatchesPage)
def list_matches(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What was matched, and what was taken back."""
    return queries.matches(tx, args["account_id"], args)


@bank_matching.get("/bank-match-proposals")
@query
@admits("accountant", "finance_auditor", "finance_head")
@bank_matching.arguments(schemas.BankAccountArgs, location="query")
@bank_matching.response(200, schemas.BankProposalsPage)
def list_proposals(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What unmatched lines may stand for; confirming is a person's decision."""
    return queries.proposals(tx, args["account_id"], args)


@bank_matching.post("/bank-lines/<uuid:line_id>/match")
@command
@admits("accountant")
@bank_matching.arguments(schemas.BankMatchBody)
@bank_matching.response(201, schemas.BankMatchView)
def confirm_match(tx: Tx, body: dict[str, Any], line_id: UUID) -> dict[str, Any]:
    """Confirm what a line stands for; what the books lack is posted."""
    return matching.confirm(tx, line_id, body)


@bank_matching.post("/bank-matches/<uuid:match_id>/undo")
@command
@admits("accountant", "finance_head")
@bank_matching.arguments(schemas.BankUndoBody)
@bank_matching.response(200, schemas.BankMatchView)
def undo_match(tx: Tx, body: dict[str, Any], match_id: UUID) -> dict[str, Any]:
    """Take a wrong match back, as another person; what it posted is mirrored today."""
    return matching.undo(tx, match_id, body["reason"])


@bank_matching.get("/bank-accounts/<uuid:account_id>/reconciliations/<month>")
@query
@admits(*READERS)
@bank_matching.response(200, schemas.BankReconciliationView)
def get_reconciliation(tx: Tx, account_id: UUID, month: str) -> dict[str, Any]:
    """The reconciliation of a month as things stand."""
    return queries.reconciliation(tx.conn, bank_statements.account(tx, account_id), parse_month(month))


@bank_matching.post("/bank-accounts/<uuid:account_id>/reconciliations")
@command
@admits("accountant")
@bank_matching.arguments(schemas.BankMonthArgs)
@bank_matching.response(201, schemas.BankCompletedView)
def complete_reconciliation(tx: Tx, body: dict[str, Any], account_id: UUID) -> dict[str, Any]:
    """Complete a month's reconciliation; the month closes only with it."""
    return reconciling.complete_reconciliation(tx, account_id, parse_month(body["month"]))


@bank_matching.get("/bank-accounts/<uuid:account_id>/reconciliations")
@query
@admits(*READERS)
@bank_matching.response(200, schemas.BankCompletedList)
def list_reconciliations(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Completed reconciliations, newest month first."""
    return {"items": queries.completed(tx, account_id)}
