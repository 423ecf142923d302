"""The sampling plan over HTTP."""

from typing import Any

from returns.inspection import rules, schemas
from returns.kernel.roles import READERS
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.transaction import Tx
from shared.web import admits, query

sampling = Blueprint("sampling", __name__, tag="returns")


@sampling.get("/sampling-plans")
@query
@admits(*READERS)
@sampling.arguments(schemas.SamplingArgs, location="query")
@sampling.response(200, schemas.SamplingView)
def get_sampling_plan(tx: Tx, asked: dict[str, Any]) -> rules.Plan:
    """How many cases, and packs of each, an inspection opens."""
    return rules.plan(
        asked["cases"],
        is_intact=asked["is_intact"],
        has_anomaly=asked["has_anomaly"],
        on=business_date(tx.now),
    )
