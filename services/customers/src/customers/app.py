"""The customers service: its areas, in order."""

from customers import (
    change_log,
    contacts,
    credit,
    data_keys,
    licences,
    loyalty,
    master,
    offers,
    privacy,
    registration,
)
from customers.kernel.metadata import metadata
from shared import areas, audit
from shared.rations import PRUNING
from shared.service import Service

AREAS = (
    data_keys.AREA,
    change_log.AREA,
    contacts.AREA,
    master.AREA,
    registration.AREA,
    privacy.AREA,
    licences.AREA,
    credit.AREA,
    loyalty.AREA,
    offers.AREA,
)

SERVICE = Service(
    name="customers",
    title="Customers",
    metadata=metadata,
    blueprints=areas.blueprints_of(AREAS),
    sources=["finance"],
    handle=areas.handler_of(AREAS),
    withdraw=areas.withdraw_of(AREAS),
    jobs=[*areas.jobs_of(AREAS), PRUNING],
    chains=[audit.CHAIN],
    configure=areas.configure_of(AREAS),
)
