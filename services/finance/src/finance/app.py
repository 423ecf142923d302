"""The finance service: one description from which every process is assembled."""

from finance import api, jobs, journal, reactions
from finance.tables import metadata
from shared import audit
from shared.service import Job, Service

SERVICE = Service(
    name="finance",
    title="Finance",
    metadata=metadata,
    blueprints=[api.sales, api.books, api.statements_api],
    sources=["customers", "returns"],
    handle=reactions.handle,
    jobs=[Job(name="make_months_ahead", every_s=3600, run=jobs.make_months_ahead)],
    chains=[audit.CHAIN, journal.CHAIN],
)
