"""Reporting: its areas, in order."""

from reporting import closing, facts, holidays, ledgers, metrics, months, organisation, pages, training
from reporting.kernel.metadata import metadata
from shared import areas, audit
from shared.service import Service

AREAS = (
    facts.AREA,
    months.AREA,
    ledgers.AREA,
    metrics.AREA,
    closing.AREA,
    holidays.AREA,
    organisation.AREA,
    training.AREA,
    pages.AREA,
)
"""Facts before months: they are held by the time that a month is looked at."""

SERVICE = Service(
    name="reporting",
    title="Reporting",
    metadata=metadata,
    blueprints=areas.blueprints_of(AREAS),
    sources=("customers", "finance", "service_desk", "returns"),
    handle=areas.handler_of(AREAS),
    withdraw=areas.withdraw_of(AREAS),
    chains=(audit.CHAIN,),
    configure=areas.configure_of(AREAS),
)
