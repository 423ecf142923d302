"""The feedback ledger over HTTP."""

import re
from datetime import date
from typing import Any

from flask import Response

from service_desk.feedback import commands, queries, schemas
from shared.arguments import Blueprint
from shared.errors import Invalid
from shared.paging import PageArgs
from shared.transaction import Tx
from shared.web import admits, command, query

_MONTH = re.compile(r"\A(20[0-9]{2})-(0[1-9]|1[0-2])\Z")
feedback = Blueprint(
    "feedback_ledgers",
    __name__,
    url_prefix="/feedback-ledgers",
    description="The monthly feedback ledger of a branch.",
)


class MonthInvalid(Invalid):
    code = "ledger_month_invalid"
    cure = "Write the month as YYYY-MM."


@feedback.get("")
@query
@admits("cs_agent", "cs_manager", "qa", "management", "store_manager")
@feedback.arguments(schemas.LedgersArgs, location="query")
@feedback.response(200, schemas.LedgerPage)
def list_ledgers(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """Ledgers of the token's branches, the newest first: for instance those that wait to be signed (`compiled`)."""
    return queries.list_ledgers(tx, filters)


@feedback.get("/<string:branch_id>/<string:month>")
@query
@admits("cs_agent", "cs_manager", "qa", "management", "store_manager")
@feedback.response(200, schemas.LedgerView)
def get_ledger(tx: Tx, branch_id: str, month: str) -> dict[str, Any]:
    """Read a month's ledger (`2026-11`)."""
    return queries.get_ledger(tx, branch_id, _month(month))


@feedback.get("/<string:branch_id>/<string:month>/entries")
@query
@admits("cs_agent", "cs_manager", "qa", "management", "store_manager")
@feedback.arguments(PageArgs, location="query")
@feedback.response(200, schemas.EntryPage)
def list_entries(tx: Tx, filters: dict[str, Any], branch_id: str, month: str) -> dict[str, Any]:
    """List the records of a ledger."""
    return queries.list_entries(tx, branch_id, _month(month), filters)


@feedback.get("/<string:branch_id>/<string:month>/csv")
@query
@admits("cs_agent", "cs_manager", "qa", "management", "store_manager")
@feedback.response(200, {"type": "string"}, content_type="text/csv")
def get_ledger_csv(tx: Tx, branch_id: str, month: str) -> Response:
    """Read a ledger as a table for spreadsheets."""
    return Response(queries.ledger_csv(tx, branch_id, _month(month)), mimetype="text/csv")


@feedback.post("/<string:branch_id>/<string:month>/compile")
@command
@admits("cs_agent", "cs_manager")
@feedback.response(200, schemas.LedgerView)
def compile_ledger(tx: Tx, branch_id: str, month: str) -> dict[str, Any]:
    """Enter the month's records."""
    commands.compile_ledger(tx, branch_id, _month(month))
    return queries.get_ledger(tx, branch_id, _month(month))


@feedback.post("/<string:branch_id>/<string:month>/sign")
@command
@admits("cs_manager")
@feedback.response(200, schemas.LedgerView)
def sign_ledger(tx: Tx, branch_id: str, month: str) -> dict[str, Any]:
    """Answer for it; another person than the compiler."""
    commands.sign_ledger(tx, branch_id, _month(month))
    return queries.get_ledger(tx, branch_id, _month(month))


@feedback.post("/<string:branch_id>/<string:month>/close")
@command
@admits("cs_manager")
@feedback.response(200, schemas.LedgerView)
def close_ledger(tx: Tx, branch_id: str, month: str) -> dict[str, Any]:
    """Close it for ever."""
    commands.close_ledger(tx, branch_id, _month(month))
    return queries.get_ledger(tx, branch_id, _month(month))


def _month(text: str) -> date:
    """The first day of `2026-11`. Raises MonthInvalid."""
    found = _MONTH.match(text)
    if not found:
        raise MonthInvalid(
            "write a month as 2026-11", errors=[{"path": "month", "message": "2000-01 to 2099-12"}]
        )
    return date(int(found[1]), int(found[2]), 1)
