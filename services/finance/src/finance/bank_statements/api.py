"""HTTP: bank accounts and their statements.

Source: F3, F16
"""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response, jsonify

from finance import bank_files
from finance.bank_statements import commands, queries, schemas
from finance.bank_statements.model import NewAccount
from shared.arguments import Blueprint
from shared.paging import PageArgs
from shared.transaction import Tx
from shared.web import admits, command, query

bank = Blueprint("bank", __name__, description="Bank accounts and their reconciliation.")

READERS = ("accountant", "cashier", "finance_auditor", "finance_head", "management")


@bank.post("/bank-accounts")
@command
@admits("finance_head")
@bank.arguments(schemas.BankAccountBody)
@bank.response(201, schemas.BankAccountView)
def register_account(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Register a bank account of the chain or of a branch."""
    return asdict(commands.register_account(tx, NewAccount(**body)))


@bank.get("/bank-accounts")
@query
@admits(*READERS)
@bank.response(200, schemas.BankAccountsList)
def list_accounts(tx: Tx) -> dict[str, Any]:
    """The bank accounts that the token covers."""
    return {"items": queries.accounts(tx)}


@bank.post("/bank-accounts/<uuid:account_id>/statements")
@command
@admits("accountant", "cashier")
@bank.arguments(bank_files.BankStatementBody)
@bank.response(201, schemas.BankImportView)
@bank.alt_response(200, schema=schemas.BankImportView, success=True, description="It was imported before.")
def import_statement(tx: Tx, body: bank_files.Upload, account_id: UUID) -> Any:
    """Import a statement file (CSV, XLSX, MT940, camt.053); lines that are known already are not doubled."""
    done = commands.import_file(tx, account_id, body)
    view = {**asdict(done.statement), "also": done.also, "passed_over": done.passed_over}
    answer: Response = jsonify(schemas.BankImportView().dump(view))
    answer.status_code = 201 if done.is_new else 200
    return answer


@bank.get("/bank-accounts/<uuid:account_id>/statements")
@query
@admits(*READERS)
@bank.arguments(PageArgs, location="query")
@bank.response(200, schemas.BankStatementsPage)
def list_statements(tx: Tx, args: dict[str, Any], account_id: UUID) -> dict[str, Any]:
    """Imported statements, newest first."""
    return queries.statements(tx, account_id, args)
