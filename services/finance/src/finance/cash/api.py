"""HTTP: drawers, sessions, counts, the safe, and variances.

Who counts may not see what is expected: the position is for those who do not count.
Source: F3, F4, F21
"""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from finance.cash import commands, queries, rules, schemas
from finance.cash.model import Moving
from finance.cash.rules import Pieces
from finance.kernel.period import parse_month
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.transaction import Tx
from shared.web import admits, command, query

cash = Blueprint("cash", __name__, description="Drawers, safes, counts and variances.")

HANDLERS = ("cashier", "store_manager")
COUNTERS = ("store_manager", "finance_auditor")
BOOKKEEPERS = ("accountant", "finance_head", "management")
READERS = (*HANDLERS, "finance_auditor", *BOOKKEEPERS)


@cash.post("/cash-drawers")
@command
@admits("store_manager", "finance_head")
@cash.arguments(schemas.CashDrawerBody)
@cash.response(201, schemas.CashDrawerView)
def register_drawer(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Register a drawer of a branch, and the till that posts its sales."""
    return asdict(commands.register_drawer(tx, body["branch_id"], body["drawer"], body["till"]))


@cash.get("/cash-drawers")
@query
@admits(*READERS)
@cash.arguments(schemas.CashBranchArgs, location="query")
@cash.response(200, schemas.CashDrawersList)
def list_drawers(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """The drawers of a branch."""
    return {"items": queries.drawers(tx, args["branch_id"])}


@cash.get("/cash-denominations")
@query
@admits(*READERS)
@cash.response(200, schemas.CashDenominationsList)
def list_denominations(tx: Tx) -> dict[str, Any]:
    """Notes and coins in circulation today: the form of a count."""
    return {"items": rules.denominations(business_date(tx.now))}


@cash.post("/cash-sessions")
@command
@admits(*HANDLERS)
@cash.arguments(schemas.CashOpenBody)
@cash.response(201, schemas.CashSessionView)
def open_session(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Open a drawer with its float."""
    return queries.session(
        tx, commands.open_session(tx, body["branch_id"], body["drawer"], body["float_fen"])
    )


@cash.get("/cash-sessions")
@query
@admits(*READERS)
@cash.arguments(schemas.CashSessionsArgs, location="query")
@cash.response(200, schemas.CashSessionsPage)
def list_sessions(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Sessions, newest first."""
    return queries.sessions(tx, args)


@cash.get("/cash-sessions/<uuid:session_id>")
@query
@admits(*READERS)
@cash.response(200, schemas.CashSessionView)
def get_session(tx: Tx, session_id: UUID) -> dict[str, Any]:
    """One session."""
    return queries.session(tx, session_id)


@cash.post("/cash-sessions/<uuid:session_id>/movements")
@command
@admits(*HANDLERS)
@cash.arguments(schemas.CashMovementBody)
@cash.response(201, schemas.CashMovementView)
def move(tx: Tx, body: dict[str, Any], session_id: UUID) -> dict[str, Any]:
    """Pay in, pay out, drop to bank or safe, or top up an open drawer."""
    return asdict(commands.move(tx, session_id, Moving(**body)))


@cash.post("/cash-sessions/<uuid:session_id>/count")
@command
@admits(*HANDLERS)
@cash.response(200, schemas.CashSessionView)
def begin_count(tx: Tx, session_id: UUID) -> dict[str, Any]:
    """Stop the drawer and open its blind count."""
    commands.begin_count(tx, session_id)
    return queries.session(tx, session_id)


@cash.post("/cash-sessions/<uuid:session_id>/close")
@command
@admits(*HANDLERS)
@cash.arguments(schemas.CashCloseBody)
@cash.response(200, schemas.CashSessionView)
def close_session(tx: Tx, body: dict[str, Any], session_id: UUID) -> dict[str, Any]:
    """Say what was counted; a difference is posted at once."""
    commands.close_session(tx, session_id, _counted(body), body["carried_fen"])
    return queries.session(tx, session_id)


@cash.post("/safe-movements")
@command
@admits(*HANDLERS)
@cash.arguments(schemas.CashSafeMovementBody)
@cash.response(201, schemas.CashMovementView)
def move_safe(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Pay in, pay out, or carry money between safe and bank."""
    return asdict(commands.move_safe(tx, body.pop("branch_id"), Moving(**body)))


@cash.post("/cash-counts")
@command
@admits(*COUNTERS)
@cash.arguments(schemas.CashCountBody)
@cash.response(201, schemas.CashCountView)
def surprise_count(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Count an open drawer or the safe without notice."""
    return asdict(commands.surprise_count(tx, body["branch_id"], body["session_id"], _counted(body)))


@cash.get("/cash-counts")
@query
@admits(*READERS)
@cash.arguments(schemas.CashCountsArgs, location="query")
@cash.response(200, schemas.CashCountsPage)
def list_counts(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Surprise counts, newest first."""
    return queries.counts(tx, args)


@cash.get("/due-cash-counts")
@query
@admits(*COUNTERS, *BOOKKEEPERS)
@cash.arguments(schemas.CashCountsDueArgs, location="query")
@cash.response(200, schemas.CashCountsDuePage)
def list_counts_due(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Drawers and safes that nobody counted without notice for longest. Not for cashiers, or none would be a surprise."""
    return queries.counts_due(tx, args)


@cash.get("/cash-variances")
@query
@admits(*READERS)
@cash.arguments(schemas.CashVariancesArgs, location="query")
@cash.response(200, schemas.CashVariancesPage)
def list_variances(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Differences that counts found; the overdue ones by `state=overdue`."""
    return queries.variances(tx, args)


@cash.post("/cash-variances/<uuid:variance_id>/resolve")
@command
@admits(rules.STORE_MANAGER, rules.AUDITOR)
@cash.arguments(schemas.CashResolveBody)
@cash.response(200, schemas.CashVarianceView)
def resolve(tx: Tx, body: dict[str, Any], variance_id: UUID) -> dict[str, Any]:
    """Decide where a difference belongs; large ones by the auditor, none by who handled the cash."""
    commands.resolve(tx, variance_id, rules.Outcome(body["outcome"]), body["person"], body["reason"])
    return queries.variance(tx, variance_id)


@cash.get("/cash-positions/<string:branch_id>")
@query
@admits(*BOOKKEEPERS)
@cash.response(200, schemas.CashPositionView)
def get_position(tx: Tx, branch_id: str) -> dict[str, Any]:
    """Cash on hand of a branch, and in which drawers and safe it should lie."""
    return queries.position(tx, branch_id)


@cash.get("/uncounted-drawers")
@query
@admits(*BOOKKEEPERS, "finance_auditor")
@cash.arguments(schemas.CashUnattendedArgs, location="query")
@cash.response(200, schemas.CashUnattendedList)
def list_uncounted_drawers(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Cash sales that no drawer session counted, per till and day."""
    return {"items": queries.unattended(tx, args["branch_id"], parse_month(args["month"]))}


def _counted(body: dict[str, Any]) -> list[Pieces]:
    return [Pieces(**each) for each in body["denominations"]]
