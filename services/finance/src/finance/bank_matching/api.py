"""HTTP: matches of bank lines, and reconciliations.

Source: F3, F16
"""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from finance import bank_statements
from finance.bank_matching import rules, schemas
from finance.bank_matching.commands import matching, reconciling
from finance.bank_matching.queries import lines, reconciliations
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
    account = reconciling.close_account(tx, account_id, body["closed_on"], body["successor_id"])
    return asdict(account)


@bank_matching.get("/unmatched-bank-lines")
@query
@admits(*READERS)
@bank_matching.arguments(schemas.BankAccountArgs, location="query")
@bank_matching.response(200, schemas.BankLinesPage)
def list_unmatched(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Lines nobody matched, oldest first; `overdue` after five business days."""
    return lines.unmatched(tx, args["account_id"], args)


@bank_matching.get("/bank-lines")
@query
@admits(*READERS)
@bank_matching.arguments(schemas.BankLinesArgs, location="query")
@bank_matching.response(200, schemas.BankAnyLinesPage)
def list_lines(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Every line the bank told of, by its booking day, with the match that explains it."""
    return lines.lines(tx, args["account_id"], args)


@bank_matching.get("/bank-matches")
@query
@admits(*READERS)
@bank_matching.arguments(schemas.BankMatchesArgs, location="query")
@bank_matching.response(200, schemas.BankMatchesPage)
def list_matches(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What was matched, and what was taken back."""
    return lines.matches(tx, args["account_id"], args)


@bank_matching.get("/bank-match-proposals")
@query
@admits("accountant", "finance_auditor", "finance_head")
@bank_matching.arguments(schemas.BankAccountArgs, location="query")
@bank_matching.response(200, schemas.BankProposalsPage)
def list_proposals(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What unmatched lines may stand for; confirming is a person's decision."""
    return lines.proposals(tx, args["account_id"], args)


@bank_matching.post("/bank-lines/<uuid:line_id>/match")
@command
@admits("accountant")
@bank_matching.arguments(schemas.BankMatchBody)
@bank_matching.response(201, schemas.BankMatchView)
def confirm_match(tx: Tx, body: rules.Meant, line_id: UUID) -> dict[str, Any]:
    """Confirm what a line stands for; what the books lack is posted."""
    match, items = matching.confirm(tx, line_id, body)
    return {**asdict(match), "items": items}


@bank_matching.post("/bank-matches/<uuid:match_id>/undo")
@command
@admits("accountant", "finance_head")
@bank_matching.arguments(schemas.BankUndoBody)
@bank_matching.response(200, schemas.BankMatchView)
def undo_match(tx: Tx, body: dict[str, Any], match_id: UUID) -> dict[str, Any]:
    """Take a wrong match back, as another person; what it posted is mirrored today."""
    match, items = matching.undo(tx, match_id, body["reason"])
    return {**asdict(match), "items": items}


@bank_matching.get("/bank-accounts/<uuid:account_id>/reconciliations/<month>")
@query
@admits(*READERS)
@bank_matching.response(200, schemas.BankReconciliationView)
def get_reconciliation(tx: Tx, account_id: UUID, month: str) -> dict[str, Any]:
    """The reconciliation of a month as things stand."""
    return reconciliations.reconciliation(
        tx.conn, bank_statements.account(tx, account_id), parse_month(month)
    )


@bank_matching.post("/bank-accounts/<uuid:account_id>/reconciliations")
@command
@admits("accountant")
@bank_matching.arguments(schemas.BankMonthArgs)
@bank_matching.response(201, schemas.BankCompletedView)
def complete_reconciliation(tx: Tx, body: dict[str, Any], account_id: UUID) -> dict[str, Any]:
    """Complete a month's reconciliation; the month closes only with it."""
    month = parse_month(body["month"])
    reconciling.complete_reconciliation(tx, account_id, month)
    return reconciliations.completed_of(tx, account_id, month)


@bank_matching.get("/bank-accounts/<uuid:account_id>/reconciliations")
@query
@admits(*READERS)
@bank_matching.response(200, schemas.BankCompletedList)
def list_reconciliations(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Completed reconciliations, newest month first."""
    return {"items": reconciliations.completed(tx, account_id)}
