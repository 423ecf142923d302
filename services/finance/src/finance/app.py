"""The finance service: one description from which every process is assembled."""

from finance import api
from finance.tables import metadata
from shared import audit
from shared.service import Service

SERVICE = Service(
    name="finance", title="Finance", metadata=metadata, blueprints=[api.sales], chains=[audit.CHAIN]
)
