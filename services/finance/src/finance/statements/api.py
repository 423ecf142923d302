"""HTTP: statements from preparation to publication, their proof, their calendar, and their papers."""

from typing import Any
from uuid import UUID

from flask import Response

from finance import printing
from finance.kernel.period import parse_month
from finance.kernel.statement import Kind, Span
from finance.statements import commands, queries, schemas
from finance.statements.papers import paper, sheet
from finance.statements.rules import SIGNERS
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

statements = Blueprint("statements", __name__, description="Prepared, reviewed, signed, published.")

READERS = ("accountant", "finance_auditor", "finance_head", "management", *sorted(SIGNERS))
FILE = {"type": "string", "format": "binary"}


@statements.post("/financial-statements")
@command
@admits("accountant")
@statements.arguments(schemas.StatementBody)
@statements.response(201, schemas.StatementView)
def prepare_statement(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Freeze a statement of closed months."""
    statement_id = commands.prepare(
        tx, Kind(body["kind"]), Span(body["span"]), parse_month(body["month"]), body["classifications"]
    )
    return queries.get(tx, statement_id)


@statements.get("/financial-statements")
@query
@admits(*READERS)
@statements.arguments(schemas.StatementsArgs, location="query")
@statements.response(200, schemas.StatementsPage)
def list_statements(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """All versions of statements, of a span that ends with a month where one is named: for instance what waits for review."""
    return queries.of_all(tx, None if args["month"] is None else parse_month(args["month"]), args)


@statements.get("/financial-statement-deadlines")
@query
@admits(*READERS)
@statements.arguments(schemas.StatementCalendarArgs, location="query")
@statements.response(200, schemas.StatementCalendar)
def get_statement_calendar(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What is due of every span that ended in these months, and how far it is; at most 36 months."""
    return {"items": queries.calendar(tx, parse_month(args["from_month"]), parse_month(args["until_month"]))}


@statements.get("/financial-statements/<uuid:statement_id>")
@query
@admits(*READERS)
@statements.response(200, schemas.StatementView)
def get_statement(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """One statement."""
    return queries.get(tx, statement_id)


@statements.get("/financial-statement-proofs/<uuid:statement_id>")
@query
@admits(*READERS)
@statements.response(200, schemas.ProofView)
def prove_statement(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """Made anew from the journal as it was numbered then: does it say the same?"""
    return queries.proof(tx, statement_id)


@statements.get("/financial-statements/<uuid:statement_id>/xlsx")
@query
@admits(*READERS)
@statements.response(200, FILE, content_type=sheet.MIMETYPE)
def get_statement_sheet(tx: Tx, statement_id: UUID) -> Response:
    """The form as a spreadsheet, set up for A4."""
    row = queries.get(tx, statement_id)
    headers = {"Content-Disposition": f'attachment; filename="{_name(row)}.xlsx"'}
    return Response(sheet.sheet(row), 200, headers, mimetype=sheet.MIMETYPE)


@statements.get("/financial-statements/<uuid:statement_id>/pdf")
@query
@admits(*READERS)
@statements.response(200, FILE, content_type=printing.MIMETYPE)
def print_statement(tx: Tx, statement_id: UUID) -> Response:
    """The form on paper, fonts embedded."""
    row = queries.get(tx, statement_id)
    return printing.shown(paper.paper(row), _name(row))


def _name(row: dict[str, Any]) -> str:
    return f"{row['kind']}-{row['span']}-{row['month']}-v{row['version']}"


@statements.post("/financial-statements/<uuid:statement_id>/withdraw")
@command
@admits("accountant", commands.REVIEWER)
@statements.arguments(schemas.WithdrawBody)
@statements.response(200, schemas.StatementView)
def withdraw_statement(tx: Tx, body: dict[str, Any], statement_id: UUID) -> dict[str, Any]:
    """Take back what was not published; it is then prepared anew."""
    commands.withdraw(tx, statement_id, body["reason"])
    return queries.get(tx, statement_id)


@statements.post("/financial-statements/<uuid:statement_id>/review")
@command
@admits(commands.REVIEWER)
@statements.response(200, schemas.StatementView)
def review_statement(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """Reviewed by the finance head, who did not prepare it."""
    commands.review(tx, statement_id)
    return queries.get(tx, statement_id)


@statements.post("/financial-statements/<uuid:statement_id>/sign")
@command
@admits(*sorted(SIGNERS))
@statements.response(200, schemas.StatementView)
def sign_statement(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """One of three signatures: the head of the unit, the head in charge of accounting, the head of the department."""
    commands.sign(tx, statement_id)
    return queries.get(tx, statement_id)


@statements.post("/financial-statements/<uuid:statement_id>/publish")
@command
@admits("accountant", commands.REVIEWER)
@statements.response(200, schemas.StatementView)
def publish_statement(tx: Tx, statement_id: UUID) -> dict[str, Any]:
    """Publish what was signed."""
    commands.publish(tx, statement_id)
    return queries.get(tx, statement_id)


@statements.post("/financial-statements/<uuid:statement_id>/restate")
@command
@admits("accountant")
@statements.arguments(schemas.RestateBody)
@statements.response(201, schemas.StatementView)
def restate_statement(tx: Tx, body: dict[str, Any], statement_id: UUID) -> dict[str, Any]:
    """Name what was wrong; the answer is the new version, to be reviewed, signed and published anew."""
    corrections = [(item["line"], item["correct"]) for item in body["errors"]]
    return queries.get(tx, commands.restate(tx, statement_id, body["cause"], corrections))
