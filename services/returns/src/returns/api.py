"""Returns over HTTP: each view names one command or one query."""

from typing import Any
from uuid import UUID

from returns import commands, queries, schemas
from returns.domain import eligibility, inspection, reason
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

REQUESTERS = (
    "salesperson",
    "invoicing_clerk",
    "cs_agent",
    "cs_manager",
    "pharmacist",
    "cashier",
    "store_manager",
    "till",
)
READERS = (
    *REQUESTERS,
    "business_head",
    "qa",
    "receiver",
    "inspector",
    "storekeeper",
    "purchaser",
    "accountant",
    "finance_auditor",
    "finance_head",
    "supervision_member",
    "management",
    "operator",
)

blueprint = Blueprint("returns", __name__, description="Sales returns")
stop_sales = Blueprint("stop_sales", __name__, description="Lots off sale")


@blueprint.post("/returns")
@command
@admits(*REQUESTERS)
@blueprint.arguments(schemas.ReturnRequest)
@blueprint.response(201, schemas.NoticeView)
def request_return(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Write a return notice; one that must be refused is written too, with `state: refused` and its cause."""
    return queries.get_return(tx, commands.request_return(tx, body))


@blueprint.get("/returns")
@query
@admits(*READERS)
@blueprint.arguments(schemas.ReturnFilters, location="query")
@blueprint.response(200, schemas.NoticePage)
def list_returns(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """List notices, the newest first."""
    return queries.list_returns(tx, filters)


@blueprint.get("/return-eligibilities")
@query
@admits(*READERS)
@blueprint.arguments(schemas.EligibilityArgs, location="query")
@blueprint.response(200, schemas.EligibilityView)
def get_eligibility(tx: Tx, asked: dict[str, Any]) -> dict[str, Any]:
    """Ask beforehand whether goods in that state may come back for that reason."""
    verdict = eligibility.judge(
        kind=asked["kind"],
        reason=asked["reason"],
        package=eligibility.PackageState(unopened=asked["unopened"], intact=asked["intact"]),
        is_expired=not asked["in_date"],
        has_proof=asked["has_proof"],
        on=business_date(tx.now),
    )
    return {
        "eligible": verdict.eligible,
        "faults": verdict.faults,
        "source": verdict.row.source,
        "effective_from": verdict.row.effective_from,
    }


@blueprint.get("/return-reasons")
@query
@admits(*READERS)
@blueprint.response(200, schemas.ReasonsView)
def list_reasons(tx: Tx) -> dict[str, Any]:
    """The tree of reasons."""
    return {"items": reason.tree()}


@blueprint.get("/sampling-plans")
@query
@admits(*READERS)
@blueprint.arguments(schemas.SamplingArgs, location="query")
@blueprint.response(200, schemas.SamplingView)
def get_sampling_plan(tx: Tx, asked: dict[str, Any]) -> inspection.Plan:
    """How many cases, and packs of each, an inspection opens."""
    return inspection.plan(
        asked["cases"],
        is_intact=asked["is_intact"],
        has_anomaly=asked["has_anomaly"],
        on=business_date(tx.now),
    )


@blueprint.get("/sold-lines")
@query
@admits(*READERS)
@blueprint.arguments(schemas.SaleArgs, location="query")
@blueprint.response(200, schemas.SoldLinesView)
def get_sold_lines(tx: Tx, asked: dict[str, Any]) -> dict[str, Any]:
    """Pull the original order, with what may still come back of each line."""
    return {"items": queries.get_sold_lines(tx, **asked)}


@blueprint.get("/returns/<uuid:return_id>")
@query
@admits(*READERS)
@blueprint.response(200, schemas.NoticeView)
def get_return(tx: Tx, return_id: UUID) -> dict[str, Any]:
    """A notice with its full history."""
    return queries.get_return(tx, return_id)


@blueprint.post("/returns/<uuid:return_id>/decisions")
@command
@admits("business_head", "qa")
@blueprint.arguments(DecisionBody)
@blueprint.response(200, schemas.NoticeView)
def decide_return(tx: Tx, body: dict[str, Any], return_id: UUID) -> dict[str, Any]:
    """Approve or reject as business head or as QA: both must approve, and be two persons."""
    commands.decide_return(tx, return_id, approved=body["approved"], reason=body["reason"])
    return queries.get_return(tx, return_id)


@blueprint.post("/returns/<uuid:return_id>/cancel")
@command
@admits(*REQUESTERS)
@blueprint.arguments(schemas.CancellationBody)
@blueprint.response(200, schemas.NoticeView)
def cancel_return(tx: Tx, body: dict[str, Any], return_id: UUID) -> dict[str, Any]:
    """Withdraw a notice whose goods were not fetched yet."""
    commands.cancel_return(tx, return_id, reason=body["reason"])
    return queries.get_return(tx, return_id)


@blueprint.post("/returns/<uuid:return_id>/pick-up")
@command
@admits("salesperson", "storekeeper", "invoicing_clerk")
@blueprint.response(200, schemas.NoticeView)
def confirm_pickup(tx: Tx, return_id: UUID) -> dict[str, Any]:
    """Confirm that the goods were fetched, on time or not."""
    commands.confirm_pickup(tx, return_id)
    return queries.get_return(tx, return_id)


@blueprint.post("/returns/<uuid:return_id>/receive")
@command
@admits("receiver")
@blueprint.arguments(schemas.ReceiptBody)
@blueprint.response(200, schemas.NoticeView)
def receive_return(tx: Tx, body: dict[str, Any], return_id: UUID) -> dict[str, Any]:
    """Take the goods into quarantine, line by line; cold goods need their evidence."""
    commands.receive_return(tx, return_id, body)
    return queries.get_return(tx, return_id)


@blueprint.post("/returns/<uuid:return_id>/inspect")
@command
@admits("inspector")
@blueprint.arguments(schemas.InspectionBody)
@blueprint.response(200, schemas.NoticeView)
def inspect_return(tx: Tx, body: dict[str, Any], return_id: UUID) -> dict[str, Any]:
    """File inspection reports, lot by lot."""
    commands.inspect_return(tx, return_id, body["lines"])
    return queries.get_return(tx, return_id)


@blueprint.post("/returns/<uuid:return_id>/dispose")
@command
@admits("qa")
@blueprint.arguments(schemas.DispositionBody)
@blueprint.response(200, schemas.NoticeView)
def dispose_return(tx: Tx, body: dict[str, Any], return_id: UUID) -> dict[str, Any]:
    """Decide what becomes of accepted goods."""
    commands.dispose_return(tx, return_id, body["lines"])
    return queries.get_return(tx, return_id)


@blueprint.post("/returns/<uuid:return_id>/settle")
@command
@admits("invoicing_clerk", "business_head", "store_manager")
@blueprint.response(200, schemas.NoticeView)
def settle_return(tx: Tx, return_id: UUID) -> dict[str, Any]:
    """Fix the worth of what was accepted; finance refunds it."""
    commands.settle_return(tx, return_id)
    return queries.get_return(tx, return_id)


# --- lots off sale ----------------------------------------------------------------------------------


@stop_sales.post("/stop-sales")
@command
@admits("qa")
@stop_sales.arguments(schemas.StopSaleBody)
@stop_sales.response(201, schemas.StopSaleView)
def order_stop_sale(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Take lots off sale in every branch, at once."""
    return queries.get_stop_sale(tx, commands.order_stop_sale(tx, body))


@stop_sales.get("/stop-sales")
@query
@admits(*READERS)
@stop_sales.arguments(schemas.StopSaleFilters, location="query")
@stop_sales.response(200, schemas.StopSalePage)
def list_stop_sales(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """What is or was off sale, the newest first."""
    return queries.list_stop_sales(tx, filters)


@stop_sales.get("/stop-sales/<uuid:stop_sale_id>")
@query
@admits(*READERS)
@stop_sales.response(200, schemas.StopSaleView)
def get_stop_sale(tx: Tx, stop_sale_id: UUID) -> dict[str, Any]:
    """One stop, with every request to lift it."""
    return queries.get_stop_sale(tx, stop_sale_id)


@stop_sales.post("/stop-sales/<uuid:stop_sale_id>/lift")
@command
@admits("qa")
@stop_sales.arguments(schemas.LiftingBody)
@stop_sales.response(201, schemas.StopSaleView)
def lift_stop_sale(tx: Tx, body: dict[str, Any], stop_sale_id: UUID) -> dict[str, Any]:
    """Ask management to let the lots back on sale."""
    commands.ask_to_lift(tx, stop_sale_id, reason=body["reason"], evidence=body["evidence"])
    return queries.get_stop_sale(tx, stop_sale_id)


@stop_sales.post("/stop-sales/<uuid:stop_sale_id>/lifting/decisions")
@command
@admits("management")
@stop_sales.arguments(DecisionBody)
@stop_sales.response(200, schemas.StopSaleView)
def decide_lifting(tx: Tx, body: dict[str, Any], stop_sale_id: UUID) -> dict[str, Any]:
    """Lift the stop, or let it stand; never by who asked."""
    commands.decide_lifting(tx, stop_sale_id, approved=body["approved"], reason=body["reason"])
    return queries.get_stop_sale(tx, stop_sale_id)
