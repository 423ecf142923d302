"""HTTP: samples are handed out."""

from typing import Any
from uuid import UUID

from finance import samples
from finance.sample_issues import commands
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command

sample_issues = Blueprint("sample_issues", __name__, url_prefix="/samples", tag="samples")


@sample_issues.post("/<uuid:sample_id>/issue")
@command
@admits("storekeeper")
@sample_issues.response(200, samples.SampleView)
def issue_sample(tx: Tx, sample_id: UUID) -> dict[str, Any]:
    """Hand them over; their cost becomes selling expense."""
    commands.issue(tx, sample_id)
    return samples.sample(tx, sample_id)
