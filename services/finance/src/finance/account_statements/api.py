"""HTTP: statements of account, and letters on paper."""

from typing import Any
from uuid import UUID

from flask import Response

from finance import dunning, printing
from finance.account_statements import commands, papers, queries, schemas
from finance.account_statements.model import Answer
from finance.dunning import PaperArgs
from finance.kernel.roles import DEBT_COLLECTORS, DEBT_KEEPERS, DEBT_READERS
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

account_statements = Blueprint("account_statements", __name__, tag="receivables")


@account_statements.post("/customer-statements")
@command
@admits(*DEBT_KEEPERS)
@account_statements.arguments(schemas.CustomerStatementBody)
@account_statements.response(201, schemas.CustomerStatementView)
def issue_customer_statement(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Freeze what a customer owes at the end of a day (对账函)."""
    return queries.statement(tx, commands.issue(tx, body["customer_id"], body["as_of"]))


@account_statements.get("/customer-statements")
@query
@admits(*DEBT_READERS)
@account_statements.arguments(schemas.CustomerStatementsArgs, location="query")
@account_statements.response(200, schemas.CustomerStatementsPage)
def list_customer_statements(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Statements of account, oldest first."""
    return queries.statements(tx, args)


@account_statements.get("/customer-statements/<uuid:customer_statement_id>")
@query
@admits(*DEBT_READERS)
@account_statements.response(200, schemas.CustomerStatementView)
def get_customer_statement(tx: Tx, customer_statement_id: UUID) -> dict[str, Any]:
    """One statement of account with its items and their answers."""
    return queries.statement(tx, customer_statement_id)


@account_statements.get("/customer-statements/<uuid:customer_statement_id>/pdf")
@query
@admits(*DEBT_READERS)
@account_statements.arguments(PaperArgs, location="query")
@account_statements.doc(**printing.DOC)
def print_customer_statement(tx: Tx, args: dict[str, Any], customer_statement_id: UUID) -> Response:
    """The paper, for the customer to seal."""
    row = queries.statement(tx, customer_statement_id)
    return printing.shown(
        papers.statement(row, queries.documents(tx, row["items"]), args["lang"]),
        f"statement-{customer_statement_id}",
    )


@account_statements.post("/customer-statements/<uuid:customer_statement_id>/send")
@command
@admits(*DEBT_COLLECTORS)
@account_statements.arguments(schemas.CustomerStatementSentBody)
@account_statements.response(200, schemas.CustomerStatementView)
def send_customer_statement(tx: Tx, body: dict[str, Any], customer_statement_id: UUID) -> dict[str, Any]:
    """It was sent to the customer."""
    commands.send(tx, customer_statement_id, body["channel"])
    return queries.statement(tx, customer_statement_id)


@account_statements.post("/customer-statements/<uuid:customer_statement_id>/answer")
@command
@admits(*DEBT_COLLECTORS)
@account_statements.arguments(schemas.CustomerStatementAnswersBody)
@account_statements.response(200, schemas.CustomerStatementView)
def answer_customer_statement(tx: Tx, body: dict[str, Any], customer_statement_id: UUID) -> dict[str, Any]:
    """The customer's word, item by item; disputed debts pause dunning."""
    answers = [Answer(**each) for each in body["answers"]]
    commands.answer(tx, customer_statement_id, body["contact_id"], answers)
    return queries.statement(tx, customer_statement_id)


@account_statements.get("/dunning-letters/<uuid:letter_id>/pdf")
@query
@admits(*DEBT_READERS)
@account_statements.doc(**printing.DOC)
def print_dunning_letter(tx: Tx, letter_id: UUID) -> Response:
    """The letter on paper."""
    row = dunning.letter(tx, letter_id)
    return printing.shown(
        dunning.printed_letter(row, queries.documents(tx, row["items"])), f"letter-{letter_id}"
    )
