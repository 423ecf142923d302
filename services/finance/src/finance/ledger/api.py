"""HTTP: the journal."""

from typing import Any

from finance.kernel.period import parse_month
from finance.kernel.roles import BOOKKEEPERS
from finance.ledger import queries, schemas
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, query

journal = Blueprint("journal", __name__, tag="books")


@journal.get("/journal-entries")
@query
@admits(*BOOKKEEPERS)
@journal.arguments(schemas.EntriesArgs, location="query")
@journal.response(200, schemas.EntriesPage)
def list_entries(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """The journal of a month."""
    return queries.entries(tx, parse_month(args["month"]), args)
