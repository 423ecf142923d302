"""The service desk assembled: what every one of its processes is made from."""

from service_desk import api, jobs, reactions
from service_desk.tables import metadata
from shared import audit
from shared.service import Job, Service

SERVICE = Service(
    name="service_desk",
    title="Service desk",
    metadata=metadata,
    blueprints=(api.tickets, api.escalations, api.surveys, api.feedback, api.standards),
    sources=reactions.SOURCES,
    handle=reactions.handle,
    withdraw=reactions.WITHDRAW,
    jobs=(Job(name="breach_clocks", every_s=15.0, run=jobs.breach_clocks),),
    chains=(audit.CHAIN,),
)
