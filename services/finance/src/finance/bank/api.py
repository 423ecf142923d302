"""HTTP: bank accounts, their statements, matches and reconciliations.

Source: F3, F16
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, current_app, jsonify
from sqlalchemy import Connection

from finance.bank import commands, dialects, importing, matching, queries, schemas
from finance.kernel.period import parse_month
from shared.arguments import Blueprint
from shared.database import Database
from shared.paging import PageArgs
from shared.transaction import Tx
from shared.web import admits, command, detached, query

bank = Blueprint("bank", __name__, description="Bank accounts and their reconciliation.")

READERS = ("accountant", "cashier", "finance_auditor", "finance_head", "management")


@bank.post("/bank-accounts")
@command
@admits("finance_head")
@bank.arguments(schemas.BankAccountBody)
@bank.response(201, schemas.BankAccountView)
def register_account(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Register a bank account of the chain or of a branch."""
    return commands.register_account(tx, body)


@bank.get("/bank-accounts")
@query
@admits(*READERS)
@bank.response(200, schemas.BankAccountsList)
def list_accounts(tx: Tx) -> dict[str, Any]:
    """The bank accounts that the token covers."""
    return {"items": queries.accounts(tx)}


@bank.post("/bank-accounts/<uuid:account_id>/close")
@command
@admits("finance_head")
@bank.arguments(schemas.BankCloseBody)
@bank.response(200, schemas.BankAccountView)
def close_account(tx: Tx, body: dict[str, Any], account_id: UUID) -> dict[str, Any]:
    """Close a bank account with its last day and a zero balance; no later month asks for it."""
    return commands.close_account(tx, account_id, body["closed_on"], body["successor_id"])


@bank.post("/bank-accounts/<uuid:account_id>/statements")
@command
@admits("accountant", "cashier")
@bank.arguments(schemas.BankStatementBody)
@bank.response(201, schemas.BankImportView)
@bank.alt_response(200, schema=schemas.BankImportView, success=True, description="It was imported before.")
def import_statement(tx: Tx, body: dict[str, Any], account_id: UUID) -> Any:
    """Import a statement file (CSV, XLSX, MT940, camt.053); lines that are known already are not doubled."""
    done, is_new = importing.import_file(tx, account_id, body)
    answer: Response = jsonify(schemas.BankImportView().dump(done))
    answer.status_code = 201 if is_new else 200
    return answer


@bank.get("/bank-dialects")
@query
@admits(*READERS)
@bank.response(200, schemas.BankDialectsList)
def list_dialects(tx: Tx) -> dict[str, Any]:
    """How tables of banks are read: the dialects delivered, and the newest version of those kept."""
    return {"items": dialects.listed(tx.conn)}


@bank.get("/bank-dialects/<dialect>")
@query
@admits(*READERS)
@bank.response(200, schemas.BankDialectsList)
def get_dialect(tx: Tx, dialect: str) -> dict[str, Any]:
    """Every version of a dialect, newest first, with who kept it and when."""
    return {"items": dialects.listed(tx.conn, dialect)}


@bank.post("/bank-dialect-trials")
@detached
@admits("accountant", "finance_head")
@bank.arguments(schemas.BankTryBody)
@bank.response(200, schemas.BankTriedView)
def try_dialect(make_tx: Callable[[Connection], Tx], body: dict[str, Any]) -> dict[str, Any]:
    """What a file would be read as by a dialect, kept or not: lines, rows passed over, faults. Nothing is stored."""
    database: Database = current_app.extensions["database"]
    with database.read() as conn:
        return dialects.tried(make_tx(conn), body)


@bank.post("/bank-dialects")
@command
@admits("accountant", "finance_head")
@bank.arguments(schemas.BankDialectBody)
@bank.response(201, schemas.BankDialectView)
def keep_dialect(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Keep a dialect that was tried on a file; a changed one becomes its next version."""
    return dialects.keep(tx, body)


@bank.get("/bank-accounts/<uuid:account_id>/statements")
@query
@admits(*READERS)
@bank.arguments(PageArgs, location="query")
@bank.response(200, schemas.BankStatementsPage)
def list_statements(tx: Tx, args: dict[str, Any], account_id: UUID) -> dict[str, Any]:
    """Imported statements, newest first."""
    return queries.statements(tx, account_id, args)


@bank.get("/unmatched-bank-lines")
@query
@admits(*READERS)
@bank.arguments(schemas.BankAccountArgs, location="query")
@bank.response(200, schemas.BankLinesPage)
def list_unmatched(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Lines nobody matched, oldest first; `overdue` after five business days."""
    return queries.unmatched(tx, args["account_id"], args)


@bank.get("/bank-lines")
@query
@admits(*READERS)
@bank.arguments(schemas.BankLinesArgs, location="query")
@bank.response(200, schemas.BankAnyLinesPage)
def list_lines(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Every line the bank told of, by its booking day, with the match that explains it."""
    return queries.lines(tx, args["account_id"], args)


@bank.get("/bank-matches")
@query
@admits(*READERS)
@bank.arguments(schemas.BankMatchesArgs, location="query")
@bank.response(200, schemas.BankMatchesPage)
def list_matches(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What was matched, and what was taken back."""
    return queries.matches(tx, args["account_id"], args)


@bank.get("/bank-match-proposals")
@query
@admits("accountant", "finance_auditor", "finance_head")
@bank.arguments(schemas.BankAccountArgs, location="query")
@bank.response(200, schemas.BankProposalsPage)
def list_proposals(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What unmatched lines may stand for; confirming is a person's decision."""
    return queries.proposals(tx, args["account_id"], args)


@bank.post("/bank-lines/<uuid:line_id>/match")
@command
@admits("accountant")
@bank.arguments(schemas.BankMatchBody)
@bank.response(201, schemas.BankMatchView)
def confirm_match(tx: Tx, body: dict[str, Any], line_id: UUID) -> dict[str, Any]:
    """Confirm what a line stands for; what the books lack is posted."""
    return matching.confirm(tx, line_id, body)


@bank.post("/bank-matches/<uuid:match_id>/undo")
@command
@admits("accountant", "finance_head")
@bank.arguments(schemas.BankUndoBody)
@bank.response(200, schemas.BankMatchView)
def undo_match(tx: Tx, body: dict[str, Any], match_id: UUID) -> dict[str, Any]:
    """Take a wrong match back, as another person; what it posted is mirrored today."""
    return matching.undo(tx, match_id, body["reason"])


@bank.get("/bank-accounts/<uuid:account_id>/reconciliations/<month>")
@query
@admits(*READERS)
@bank.response(200, schemas.BankReconciliationView)
def get_reconciliation(tx: Tx, account_id: UUID, month: str) -> dict[str, Any]:
    """The reconciliation of a month as things stand."""
    return queries.reconciliation(tx.conn, queries.account(tx, account_id), parse_month(month))


@bank.post("/bank-accounts/<uuid:account_id>/reconciliations")
@command
@admits("accountant")
@bank.arguments(schemas.BankMonthArgs)
@bank.response(201, schemas.BankCompletedView)
def complete_reconciliation(tx: Tx, body: dict[str, Any], account_id: UUID) -> dict[str, Any]:
    """Complete a month's reconciliation; the month closes only with it."""
    return commands.complete_reconciliation(tx, account_id, parse_month(body["month"]))


@bank.get("/bank-accounts/<uuid:account_id>/reconciliations")
@query
@admits(*READERS)
@bank.response(200, schemas.BankCompletedList)
def list_reconciliations(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Completed reconciliations, newest month first."""
    return {"items": queries.completed(tx, account_id)}
