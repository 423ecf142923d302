"""HTTP: months and their closing."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Flask, current_app

from finance.closing import queries, schemas
from finance.closing.commands import close, reopen
from finance.kernel.period import parse_month
from finance.kernel.roles import BOOKKEEPERS
from finance.vouchers import READERS, ReasonBody
from shared import completeness
from shared.arguments import Blueprint
from shared.consuming import open_feeds
from shared.decisions import DecisionBody
from shared.jobs import run_before_close
from shared.transaction import Tx
from shared.web import admits, command, query

reopenings = Blueprint("reopenings", __name__, tag="bookkeeping")


@reopenings.post("/periods/<month>/reopenings")
@command
@admits("accountant", "finance_auditor", "finance_head", "unit_head")
@reopenings.arguments(ReasonBody)
@reopenings.response(201, schemas.ReopeningView)
def request_reopening(tx: Tx, body: dict[str, Any], month: str) -> dict[str, Any]:
    """Ask to open the last closed month again."""
    return queries.reopening(tx, reopen.request_reopening(tx, parse_month(month), body["reason"]))


@reopenings.get("/reopenings")
@query
@admits(*READERS)
@reopenings.arguments(schemas.ReopeningsArgs, location="query")
@reopenings.response(200, schemas.ReopeningsPage)
def list_all_reopenings(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Requests to re-open any month, for instance those that wait for a decision; oldest first."""
    return queries.all_reopenings(tx, args)


@reopenings.get("/periods/<month>/reopenings")
@query
@admits(*READERS)
@reopenings.response(200, schemas.ReopeningsList)
def list_reopenings(tx: Tx, month: str) -> dict[str, Any]:
    """Every request to re-open a month."""
    return {"items": queries.reopenings(tx, parse_month(month))}


@reopenings.post("/periods/<month>/reopenings/<uuid:reopening_id>/decisions")
@command
@admits(*sorted(reopen.REOPENERS))
@reopenings.arguments(DecisionBody)
@reopenings.response(200, schemas.ReopeningView)
def decide_reopening(tx: Tx, body: dict[str, Any], month: str, reopening_id: UUID) -> dict[str, Any]:
    """A finance head and management, neither of them who asked; the second approval opens the month."""
    reopen.decide_reopening(tx, parse_month(month), reopening_id, **body)
    return queries.reopening(tx, reopening_id)


books = Blueprint("books", __name__, description="Journal, trial balance and accounting periods.")


@books.get("/periods")
@query
@admits(*BOOKKEEPERS)
@books.response(200, schemas.PeriodsList)
def list_periods(tx: Tx) -> dict[str, Any]:
    """Every month that was opened, with its state."""
    return {"items": queries.periods(tx)}


@books.get("/periods/<month>/obstacles")
@query
@admits(*BOOKKEEPERS)
@books.response(200, schemas.PeriodObstaclesView)
def get_obstacles(tx: Tx, month: str) -> dict[str, Any]:
    """Everything that keeps a month from closing now, at once."""
    wanted = parse_month(month)
    return queries.obstacles(tx, wanted, *close.obstacles(tx, wanted, _hear))


@books.post("/periods/<month>/close")
@command
@admits("finance_head")
@books.response(200, schemas.ClosedPeriodView)
def close_period(tx: Tx, month: str) -> dict[str, Any]:
    """Close a month that is over: all of it heard from other services, numbered, balanced, after all earlier ones."""
    return queries.closed(tx, close.close_period(tx, parse_month(month), _tell_and_hear))


def _hear(first: date, last: date, patience_s: float) -> completeness.Hearing:
    held = current_app.extensions
    return completeness.hear(
        held["database"], held["service"], held["feeds"], first, last, patience_s=patience_s
    )


def _tell_and_hear(first: date, last: date, patience_s: float) -> completeness.Hearing:
    held = current_app.extensions
    unfinished = run_before_close(
        held["database"], held["service"], held["wakeup"], patience_s=completeness.PATIENCE_S
    )
    if unfinished:
        untold = [completeness.Obstacle(source="finance", reason="untold", type=job) for job in unfinished]
        return completeness.Hearing(obstacles=untold, own_events=0)
    return _hear(first, last, patience_s)


@books.post("/periods/<month>/lock")
@command
@admits("finance_head", "unit_head")
@books.response(200, schemas.PeriodView)
def lock_period(tx: Tx, month: str) -> dict[str, Any]:
    """Lock a closed month for ever; another person than who closed it."""
    return queries.view(close.lock_period(tx, parse_month(month)))


def configure(app: Flask) -> None:
    """Open the feeds by which closing asks whether other services have told everything."""
    app.extensions["feeds"] = open_feeds(app.extensions["service"], app.extensions["settings"])
