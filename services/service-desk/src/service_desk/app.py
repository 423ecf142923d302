"""The service desk: its areas, in order."""

from service_desk import feedback, holidays, intake, known, standards, surveys, tickets
from service_desk.kernel.metadata import metadata
from shared import areas, audit
from shared.service import Service

AREAS = (
    holidays.AREA,
    intake.AREA,
    tickets.AREA,
    surveys.AREA,
    feedback.AREA,
    standards.AREA,
    known.AREA,
)

SERVICE = Service(
    name="service_desk",
    title="Service desk",
    metadata=metadata,
    blueprints=areas.blueprints_of(AREAS),
    sources=("customers", "finance", "returns", "reporting"),
    closes_without=("reporting",),
    handle=areas.handler_of(AREAS),
    withdraw=areas.withdraw_of(AREAS),
    jobs=areas.jobs_of(AREAS),
    chains=(audit.CHAIN,),
)
