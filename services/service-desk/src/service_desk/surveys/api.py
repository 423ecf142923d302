"""Surveys over HTTP."""

from typing import Any
from uuid import UUID

from service_desk.surveys import commands, queries, schemas
from service_desk.surveys.model import INSTRUMENTS
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

surveys = Blueprint("surveys", __name__, description="Satisfaction surveys.")


@surveys.post("/surveys")
@command
@admits("cs_agent", "cs_manager")
@surveys.arguments(schemas.SurveyBody)
@surveys.response(201, schemas.SentSurveyView)
def send_survey(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Invite a customer to rate."""
    survey_id, token = commands.send_survey(tx, body)
    return {**queries.get_survey(tx, survey_id), "token": token}


@surveys.get("/surveys")
@query
@admits("cs_agent", "cs_manager", "management")
@surveys.arguments(schemas.SurveyFilters, location="query")
@surveys.response(200, schemas.SurveyPage)
def list_surveys(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """List invitations and answers, newest first."""
    return queries.list_surveys(tx, filters)


@surveys.get("/survey-instruments")
@query
@admits("cs_agent", "cs_manager", "management", "till")
@surveys.response(200, schemas.InstrumentView(many=True))
def list_instruments(tx: Tx) -> Any:
    """List what was and is asked."""
    return list(INSTRUMENTS)


@surveys.get("/surveys/<uuid:survey_id>")
@query
@admits("cs_agent", "cs_manager", "management")
@surveys.response(200, schemas.SurveyView)
def get_survey(tx: Tx, survey_id: UUID) -> dict[str, Any]:
    """Read an invitation and its answer."""
    return queries.get_survey(tx, survey_id)


@surveys.post("/surveys/<uuid:survey_id>/answers")
@command
@admits("cs_agent", "till")
@surveys.arguments(schemas.AnswerBody)
@surveys.response(201, schemas.SurveyView)
def answer_survey(tx: Tx, body: dict[str, Any], survey_id: UUID) -> dict[str, Any]:
    """Write down the customer's answer."""
    commands.answer_survey(tx, survey_id, **body)
    return queries.get_survey(tx, survey_id)
