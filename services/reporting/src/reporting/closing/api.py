"""Months and their close, over HTTP."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask import Flask, current_app

from reporting import months
from reporting.closing import schemas
from reporting.closing.commands import close_month
from reporting.kernel.fields import MONTH_PARAMETER, month_in_path
from reporting.kernel.scopes import READERS, ChainNotCovered
from shared.arguments import Blueprint
from shared.consuming import open_feeds
from shared.service import Service
from shared.transaction import Tx
from shared.web import admits, command, query

CLOSERS: Final = ("finance_head", "accountant")

blueprint = Blueprint("closing", __name__, tag="reporting")


@blueprint.get("/months")
@query
@admits(*READERS)
@blueprint.response(200, schemas.Months)
def list_months_of_facts(tx: Tx) -> dict[str, Any]:
    """Every month with facts, newest first, open or closed."""
    return {"items": [_month_view(each["month"], each["close"]) for each in months.list_months(tx.conn)]}


@blueprint.post("/months/<string:month>/close", parameters=[MONTH_PARAMETER])
@command
@admits(*CLOSERS)
@blueprint.response(200, schemas.MonthClose)
def close_month_of_chain(tx: Tx, month: str) -> dict[str, Any]:
    """Close the month of the whole chain. Refused with `month_incomplete` and every obstacle by source and day."""
    first = month_in_path(month)
    if not tx.actor.has_every_branch:
        raise ChainNotCovered("a month is closed for the whole chain; the token must cover every branch")
    extensions = current_app.extensions
    service: Service = extensions["service"]
    closed = close_month(tx, extensions["database"], service, extensions["feeds"], first)
    return _month_view(first, closed)


def configure(app: Flask) -> None:
    """The sources' feeds, which say at the close what there is to have."""
    app.extensions["feeds"] = open_feeds(app.extensions["service"], app.extensions["settings"])


def _month_view(month: date, close: Mapping[str, Any] | None) -> dict[str, Any]:
    found = close or {}
    return {
        "month": month,
        "state": "closed" if close else "open",
        **{name: found.get(name) for name in ("closed_at", "closed_by", "content_hash", "watermarks")},
    }
