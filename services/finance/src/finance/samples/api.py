"""HTTP: samples of goods and of printed packaging.

Source: F25 (SOP-FY006), X9
"""

from typing import Any
from uuid import UUID

from finance.budget_control import OVERRUN_ROLES
from finance.samples import commands, queries, schemas
from finance.samples.model import Asked
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

samples = Blueprint(
    "samples", __name__, url_prefix="/samples", description="Samples: asked, approved, issued, confirmed."
)
REQUESTERS = ("salesperson", "store_manager", "business_head", "cs_agent", "cs_manager", "pharmacist")
READERS = (
    *REQUESTERS,
    "qa",
    "storekeeper",
    "accountant",
    "finance_auditor",
    "finance_head",
    "management",
    "supervision_member",
)


@samples.post("")
@command
@admits(*REQUESTERS)
@samples.arguments(schemas.SampleBody)
@samples.response(201, schemas.SampleView)
def request_sample(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Ask for samples of a lot, for a customer or a purpose."""
    return queries.sample(tx, commands.request(tx, Asked(**body)))


@samples.get("")
@query
@admits(*READERS)
@samples.arguments(schemas.SamplesArgs, location="query")
@samples.response(200, schemas.SamplesPage)
def list_samples(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """The log of samples, newest first."""
    return queries.samples(tx, args)


@samples.get("/<uuid:sample_id>")
@query
@admits(*READERS)
@samples.response(200, schemas.SampleView)
def get_sample(tx: Tx, sample_id: UUID) -> dict[str, Any]:
    """One request and all that came of it."""
    return queries.sample(tx, sample_id)


@samples.post("/<uuid:sample_id>/decisions")
@command
@admits("business_head", "qa")
@samples.arguments(DecisionBody)
@samples.response(200, schemas.SampleView)
def decide_sample(tx: Tx, body: dict[str, Any], sample_id: UUID) -> dict[str, Any]:
    """Approve or reject: business head and quality assurance; of packaging quality assurance alone."""
    commands.decide(tx, sample_id, **body)
    return queries.sample(tx, sample_id)


@samples.post("/<uuid:sample_id>/overrun/decisions")
@command
@admits(*sorted(OVERRUN_ROLES))
@samples.arguments(DecisionBody)
@samples.response(200, schemas.SampleView)
def decide_sample_overrun(tx: Tx, body: dict[str, Any], sample_id: UUID) -> dict[str, Any]:
    """Let samples exceed their budget: finance head and management, two persons; a no rejects them."""
    commands.decide_overrun(tx, sample_id, **body)
    return queries.sample(tx, sample_id)


@samples.post("/<uuid:sample_id>/confirm")
@command
@admits("storekeeper", "qa", "store_manager")
@samples.arguments(schemas.SampleConfirmationBody)
@samples.response(200, schemas.SampleView)
def confirm_sample(tx: Tx, body: dict[str, Any], sample_id: UUID) -> dict[str, Any]:
    """Say what was used and what came back."""
    commands.confirm(tx, sample_id, **body)
    return queries.sample(tx, sample_id)
