"""The service standards over HTTP."""

from typing import Any

from service_desk.kernel.roles import READERS
from service_desk.standards import schemas
from service_desk.standards.rules import STANDARDS
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, query

standards = Blueprint(
    "service_standards", __name__, url_prefix="/service-standards", description="The numbers served by."
)


@standards.get("")
@query
@admits(*READERS)
@standards.response(200, schemas.StandardView(many=True))
def list_standards(tx: Tx) -> Any:
    """List the service standards with their dates and sources."""
    return list(STANDARDS)
