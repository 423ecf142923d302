"""Returns: its areas, in order."""

from returns import (
    approvals,
    cold_chain,
    disposition,
    dossier,
    eligibility,
    holidays,
    inspection,
    known,
    notices,
    pickups,
    receiving,
    requests,
    returnable,
    settlement,
    stop_sales,
)
from returns.kernel.metadata import metadata
from shared import areas, audit
from shared.service import Service

AREAS = (
    holidays.AREA,
    known.AREA,
    dossier.AREA,
    requests.AREA,
    approvals.AREA,
    pickups.AREA,
    receiving.AREA,
    inspection.AREA,
    disposition.AREA,
    settlement.AREA,
    notices.AREA,
    returnable.AREA,
    cold_chain.AREA,
    eligibility.AREA,
    stop_sales.AREA,
)

SERVICE = Service(
    name="returns",
    title="Returns",
    metadata=metadata,
    blueprints=areas.blueprints_of(AREAS),
    sources=["customers", "finance", "reporting"],
    closes_without=["reporting"],
    handle=areas.handler_of(AREAS),
    withdraw=areas.withdraw_of(AREAS),
    jobs=areas.jobs_of(AREAS),
    chains=[audit.CHAIN, notices.HISTORY_CHAIN],
)
