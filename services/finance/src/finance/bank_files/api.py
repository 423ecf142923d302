"""HTTP: dialects of banks' tables."""

from collections.abc import Callable
from typing import Any

from flask import current_app
from sqlalchemy import Connection

from finance.bank_files import commands, queries, schemas
from shared.arguments import Blueprint
from shared.database import Database
from shared.transaction import Tx
from shared.web import admits, command, detached, query

bank_dialects = Blueprint("bank_dialects", __name__, tag="bank")

READERS = ("accountant", "cashier", "finance_auditor", "finance_head", "management")


@bank_dialects.get("/bank-dialects")
@query
@admits(*READERS)
@bank_dialects.response(200, schemas.BankDialectsList)
def list_dialects(tx: Tx) -> dict[str, Any]:
    """How tables of banks are read: the dialects delivered, and the newest version of those kept."""
    return {"items": queries.listed(tx.conn)}


@bank_dialects.get("/bank-dialects/<dialect>")
@query
@admits(*READERS)
@bank_dialects.response(200, schemas.BankDialectsList)
def get_dialect(tx: Tx, dialect: str) -> dict[str, Any]:
    """Every version of a dialect, newest first, with who kept it and when."""
    return {"items": queries.listed(tx.conn, dialect)}


@bank_dialects.post("/bank-dialect-trials")
@detached
@admits("accountant", "finance_head")
@bank_dialects.arguments(schemas.BankTryBody)
@bank_dialects.response(200, schemas.BankTriedView)
def try_dialect(make_tx: Callable[[Connection], Tx], body: dict[str, Any]) -> dict[str, Any]:
    """What a file would be read as by a dialect, kept or not: lines, rows passed over, faults. Nothing is stored."""
    database: Database = current_app.extensions["database"]
    with database.read() as conn:
        return queries.tried(make_tx(conn), body)


@bank_dialects.post("/bank-dialects")
@command
@admits("accountant", "finance_head")
@bank_dialects.arguments(schemas.BankDialectBody)
@bank_dialects.response(201, schemas.BankDialectView)
def keep_dialect(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Keep a dialect that was tried on a file; a changed one becomes its next version."""
    return commands.keep(tx, body)
