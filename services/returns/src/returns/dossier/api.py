"""The steps of a notice over HTTP: each view names one command, and answers with the whole notice."""

from typing import Any
from uuid import UUID

from msgspec import convert

from returns import approvals, disposition, inspection, notices, pickups, receiving, requests, settlement
from returns.dossier import queries, schemas
from returns.kernel.roles import READERS, REQUESTERS
from returns.kernel.vocabulary import Disposition
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

returned = Blueprint("returns", __name__, description="Sales returns")


@returned.post("/returns")
@command
@admits(*REQUESTERS)
@returned.arguments(requests.ReturnRequest)
@returned.response(201, schemas.NoticeView)
def request_return(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Write a return notice; one that must be refused is written too, with `state: refused` and its cause."""
    return queries.get_return(tx, requests.request_return(tx, convert(body, requests.Asked)))


@returned.get("/returns")
@query
@admits(*READERS)
@returned.arguments(schemas.ReturnFilters, location="query")
@returned.response(200, schemas.NoticePage)
def list_returns(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """List notices, the newest first."""
    return notices.page_of(tx, filters)


@returned.get("/returns/<uuid:return_id>")
@query
@admits(*READERS)
@returned.response(200, schemas.NoticeView)
def get_return(tx: Tx, return_id: UUID) -> dict[str, Any]:
    """A notice with its full history."""
    return queries.get_return(tx, return_id)


@returned.post("/returns/<uuid:return_id>/decisions")
@command
@admits("business_head", "qa")
@returned.arguments(DecisionBody)
@returned.response(200, schemas.NoticeView)
def decide_return(tx: Tx, body: dict[str, Any], return_id: UUID) -> dict[str, Any]:
    """Approve or reject as business head or as QA: both must approve, and be two persons."""
    approvals.decide_return(tx, return_id, approved=body["approved"], reason=body["reason"])
    return queries.get_return(tx, return_id)


@returned.post("/returns/<uuid:return_id>/cancel")
@command
@admits(*REQUESTERS)
@returned.arguments(requests.CancellationBody)
@returned.response(200, schemas.NoticeView)
def cancel_return(tx: Tx, body: dict[str, Any], return_id: UUID) -> dict[str, Any]:
    """Withdraw a notice whose goods were not fetched yet."""
    requests.cancel_return(tx, return_id, reason=body["reason"])
    return queries.get_return(tx, return_id)


@returned.post("/returns/<uuid:return_id>/pick-up")
@command
@admits("salesperson", "storekeeper", "invoicing_clerk")
@returned.response(200, schemas.NoticeView)
def confirm_pickup(tx: Tx, return_id: UUID) -> dict[str, Any]:
    """Confirm that the goods were fetched, on time or not."""
    pickups.confirm_pickup(tx, return_id)
    return queries.get_return(tx, return_id)


@returned.post("/returns/<uuid:return_id>/receive")
@command
@admits("receiver")
@returned.arguments(receiving.ReceiptBody)
@returned.response(200, schemas.NoticeView)
def receive_return(tx: Tx, body: dict[str, Any], return_id: UUID) -> dict[str, Any]:
    """Take the goods into quarantine, line by line; cold goods need their evidence."""
    receiving.receive_return(tx, return_id, convert(body, receiving.Receipt))
    return queries.get_return(tx, return_id)


@returned.post("/returns/<uuid:return_id>/inspect")
@command
@admits("inspector")
@returned.arguments(inspection.InspectionBody)
@returned.response(200, schemas.NoticeView)
def inspect_return(tx: Tx, body: dict[str, Any], return_id: UUID) -> dict[str, Any]:
    """File inspection reports, lot by lot."""
    lines = convert(body["lines"], list[inspection.Inspected])
    inspection.inspect_return(tx, return_id, lines)
    return queries.get_return(tx, return_id)


@returned.post("/returns/<uuid:return_id>/dispose")
@command
@admits("qa")
@returned.arguments(disposition.DispositionBody)
@returned.response(200, schemas.NoticeView)
def dispose_return(tx: Tx, body: dict[str, Any], return_id: UUID) -> dict[str, Any]:
    """Decide what becomes of accepted goods."""
    wanted = {each["return_line_id"]: Disposition(each["disposition"]) for each in body["lines"]}
    disposition.dispose_return(tx, return_id, wanted)
    return queries.get_return(tx, return_id)


@returned.post("/returns/<uuid:return_id>/settle")
@command
@admits("invoicing_clerk", "business_head", "store_manager")
@returned.response(200, schemas.NoticeView)
def settle_return(tx: Tx, return_id: UUID) -> dict[str, Any]:
    """Fix the worth of what was accepted; finance refunds it."""
    settlement.settle_return(tx, return_id)
    return queries.get_return(tx, return_id)
