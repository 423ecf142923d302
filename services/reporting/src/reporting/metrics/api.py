"""Metrics over HTTP. Readers see only what their token's branches cover."""

from datetime import date
from typing import Any

from reporting.kernel.scopes import READERS, require_scope
from reporting.metrics import schemas
from reporting.metrics.queries.registry import CODES, newest, require_code
from reporting.metrics.queries.views import metric_view
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, query

blueprint = Blueprint("metrics", __name__, tag="reporting")


def _told() -> str:
    """What there is, for the description of the call."""
    metrics = [newest(code) for code in CODES]
    all_of_them = ", ".join(f"{each.code} {each.name}" for each in metrics)
    alone = " ".join(f"{each.code} is always the company's." for each in metrics if not each.of_branches)
    return f"{all_of_them}. {alone}".strip()


@blueprint.get(
    "/metrics/<string:code>",
    parameters=[
        {"name": "code", "in": "path", "required": True, "schema": {"type": "string", "enum": list(CODES)}}
    ],
)
@query
@admits(*READERS)
@blueprint.arguments(schemas.ScopeArgs, location="query")
@blueprint.response(200, schemas.MetricView)
@blueprint.doc(description=_told())
def get_metric(tx: Tx, args: dict[str, Any], code: str) -> dict[str, Any]:
    """The figure of one metric in a month."""
    require_code(code)
    view = metric_view(tx.conn, code, args["month"], require_scope(tx.actor, args["branch_id"]))
    return {**view, "month": args["month"], "revised": _with_month(view["revised"], args["month"])}


def _with_month(figures: dict[str, Any] | None, month: date) -> dict[str, Any] | None:
    return {**figures, "month": month} if figures else None
