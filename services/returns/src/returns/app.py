"""Returns as a whole: what every process of the service is assembled from."""

from returns.api import blueprint, stop_sales
from returns.jobs import JOBS
from returns.reactions import WITHDRAW, handle
from returns.tables import HISTORY_CHAIN, metadata
from shared import audit
from shared.service import Service

SERVICE = Service(
    name="returns",
    title="Returns",
    metadata=metadata,
    blueprints=[blueprint, stop_sales],
    sources=["customers", "finance"],
    handle=handle,
    withdraw=WITHDRAW,
    jobs=JOBS,
    chains=[audit.CHAIN, HISTORY_CHAIN],
)
