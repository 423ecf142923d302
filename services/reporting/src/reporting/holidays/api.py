"""Notices of holidays and the calendar over HTTP."""

from typing import Any
from uuid import UUID

from reporting.holidays import commands, queries, schemas
from reporting.kernel.scopes import READERS
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

blueprint = Blueprint("holidays", __name__, description="Holidays and make-up workdays")


@blueprint.post("/holiday-notices")
@command
@admits(*commands.ENTERED_BY)
@blueprint.arguments(schemas.HolidayNoticeBody)
@blueprint.response(201, schemas.HolidayNoticeView)
def enter_holiday_notice(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Enter a notice of holidays; it waits for another person's decision."""
    return queries.get_notice(tx, commands.enter_notice(tx, body))


@blueprint.get("/holiday-notices")
@query
@admits(*READERS)
@blueprint.arguments(schemas.HolidayNoticeFilters, location="query")
@blueprint.response(200, schemas.HolidayNoticePage)
def list_holiday_notices(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """Notices of holidays, the newest first; those that wait by `state=pending`."""
    return queries.list_notices(tx, filters)


@blueprint.get("/holiday-notices/<uuid:holiday_notice_id>")
@query
@admits(*READERS)
@blueprint.response(200, schemas.HolidayNoticeView)
def get_holiday_notice(tx: Tx, holiday_notice_id: UUID) -> dict[str, Any]:
    """One notice, and what was decided on it."""
    return queries.get_notice(tx, holiday_notice_id)


@blueprint.post("/holiday-notices/<uuid:holiday_notice_id>/decisions")
@command
@admits(commands.DECIDED_BY)
@blueprint.arguments(DecisionBody)
@blueprint.response(200, schemas.HolidayNoticeView)
def decide_holiday_notice(tx: Tx, body: dict[str, Any], holiday_notice_id: UUID) -> dict[str, Any]:
    """Put a notice in force in every service, or let it be; never by who entered it."""
    commands.decide_notice(tx, holiday_notice_id, approved=body["approved"], reason=body["reason"])
    return queries.get_notice(tx, holiday_notice_id)


@blueprint.get("/workdays")
@query
@admits(*READERS)
@blueprint.arguments(schemas.WorkdayArgs, location="query")
@blueprint.response(200, schemas.WorkdayList)
def list_workdays(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Which days are worked, as every service counts them."""
    return {"items": queries.days(tx, args["first"], args["until"])}
