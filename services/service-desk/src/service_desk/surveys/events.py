"""The facts about surveys; payloads hold ids and numbers, never text of people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, TypedDict, cast
from uuid import UUID

from msgspec import Meta

from shared.clock import business_date
from shared.events import Event
from shared.texts import Branch, Day, Id, Reference, Version

Score = Annotated[int, Meta(ge=1, le=5, description="1 (bad) to 5 (good)")]


class SurveySent(TypedDict):
    survey_id: Id
    branch_id: Branch
    customer_id: Reference
    ticket_id: Id | None
    delivered: bool


class Scores(TypedDict):
    quality: Score
    service: Score
    price: Score


class SurveyAnswered(TypedDict):
    """Each dimension of the instrument that reports read has its score; an instrument may ask more.

    `instrument_no` is the version of the instrument; `instrument_version`, the same as text, is for older readers.
    """

    survey_id: Id
    instrument_version: Reference
    instrument_no: Version
    branch_id: Branch
    customer_id: Reference
    ticket_id: Id | None
    scores: Scores
    answered_on: Day


def survey_sent(
    *,
    survey_id: UUID,
    branch_id: str,
    customer_id: str,
    ticket_id: UUID | None,
    delivered: bool,
    at: datetime,
) -> Event[SurveySent]:
    data: SurveySent = {
        "survey_id": str(survey_id),
        "branch_id": branch_id,
        "customer_id": customer_id,
        "ticket_id": str(ticket_id) if ticket_id else None,
        "delivered": delivered,
    }
    return Event(
        type="service_desk.survey.sent.v1",
        subject=str(survey_id),
        version=1,
        day=business_date(at),
        data=data,
    )


def survey_answered(
    *,
    survey_id: UUID,
    instrument_version: int,
    branch_id: str,
    customer_id: str,
    ticket_id: UUID | None,
    scores: Mapping[str, int],
    at: datetime,
) -> Event[SurveyAnswered]:
    day = business_date(at)
    data: SurveyAnswered = {
        "survey_id": str(survey_id),
        "instrument_version": str(instrument_version),
        "instrument_no": instrument_version,
        "branch_id": branch_id,
        "customer_id": customer_id,
        "ticket_id": str(ticket_id) if ticket_id else None,
        "scores": cast(Scores, dict(scores)),
        "answered_on": day.isoformat(),
    }
    return Event(
        type="service_desk.survey.answered.v1", subject=str(survey_id), version=2, day=day, data=data
    )


PUBLISHED: Final[Mapping[str, type]] = {
    "service_desk.survey.sent.v1": SurveySent,
    "service_desk.survey.answered.v1": SurveyAnswered,
}
