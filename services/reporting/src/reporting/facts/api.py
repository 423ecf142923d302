"""How complete the facts are, over HTTP."""

from typing import Any

from flask import current_app

from reporting.facts import schemas
from reporting.facts.queries.completeness import completeness
from reporting.kernel.scopes import READERS
from shared.arguments import Blueprint
from shared.service import Service
from shared.transaction import Tx
from shared.web import admits, query

blueprint = Blueprint("facts", __name__, tag="reporting")


@blueprint.get("/sources")
@query
@admits(*READERS, "operator")
@blueprint.response(200, schemas.Completeness)
def list_sources(tx: Tx) -> dict[str, Any]:
    """Per source: up to which number every event is here, what the producer has, how many are parked."""
    service: Service = current_app.extensions["service"]
    return {"items": completeness(tx.conn, tuple(service.sources))}
