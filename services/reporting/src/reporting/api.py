"""Ledgers, metrics and the month close over HTTP. Readers see only what their token's branches cover."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask import Response, current_app, jsonify, make_response
from marshmallow import ValidationError

from reporting import exports, schemas
from reporting.commands import close_month
from reporting.queries.completeness import completeness
from reporting.queries.definitions import CODES
from reporting.queries.ledgers import CHAIN, KINDS
from reporting.queries.months import ledger_view, list_months, metric_view
from reporting.translations import translator
from shared.arguments import Blueprint
from shared.errors import Forbidden, Invalid, NotFound
from shared.identity import Actor
from shared.languages import Text
from shared.money import money
from shared.service import Service
from shared.texts import MONTH_PATTERN
from shared.transaction import Tx
from shared.web import admits, command, query

READERS: Final = (
    "management",
    "accountant",
    "finance_head",
    "qa",
    "supervision_member",
    "store_manager",
    "cs_manager",
)
CLOSERS: Final = ("finance_head", "accountant")
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MONTH_PARAMETER: Final = {
    "name": "month",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": MONTH_PATTERN},
    "example": "2017-03",
}
FILES: Final = (
    ("csv", "text/csv", {"type": "string"}),
    ("xlsx", XLSX, {"type": "string", "contentMediaType": XLSX}),
)

blueprint = Blueprint("reporting", __name__, description="Monthly ledgers and evaluation metrics")


class ChainNotCovered(Forbidden):
    code = "chain_not_covered"


class MonthInvalid(Invalid):
    code = "month_invalid"


class MetricNotFound(NotFound):
    code = "metric_not_found"


def require_scope(actor: Actor, branch_id: str | None) -> str:
    """The scope to read: a branch the token covers, or CHAIN. Raises ForeignBranch, ChainNotCovered."""
    if branch_id is not None:
        actor.require_branch(branch_id)
        return branch_id
    if not actor.has_every_branch:
        raise ChainNotCovered("figures of the whole chain need a token for every branch; name a `branch_id`")
    return CHAIN


@blueprint.get("/sales-ledgers/<string:month>", parameters=[MONTH_PARAMETER])
@query
@admits(*READERS)
@blueprint.arguments(schemas.BranchArgs, location="query")
@blueprint.response(200, schemas.SalesLedger)
def get_sales_ledger(tx: Tx, args: dict[str, Any], month: str) -> Response:
    """Per day and category: receipts, quantity, net, VAT, total, cost, margin, refunds; and totals per tender."""
    return jsonify(_ledger_json(_ledger(tx, "sales", month, args["branch_id"])))


@blueprint.get("/returns-ledgers/<string:month>", parameters=[MONTH_PARAMETER])
@query
@admits(*READERS)
@blueprint.arguments(schemas.BranchArgs, location="query")
@blueprint.response(200, schemas.ReturnsLedger)
def get_returns_ledger(tx: Tx, args: dict[str, Any], month: str) -> Response:
    """Settled returns per reason and disposition; and how many were requested, refused and decided, and why."""
    return jsonify(_ledger_json(_ledger(tx, "returns", month, args["branch_id"])))


@blueprint.get("/feedback-ledgers/<string:month>", parameters=[MONTH_PARAMETER])
@query
@admits(*READERS)
@blueprint.arguments(schemas.BranchArgs, location="query")
@blueprint.response(200, schemas.FeedbackLedger)
def get_feedback_ledger(tx: Tx, args: dict[str, Any], month: str) -> Response:
    """Feedback records per channel and kind."""
    return jsonify(_ledger_json(_ledger(tx, "feedback", month, args["branch_id"])))


def _serve_file(kind: str, form: str, media_type: str, schema: dict[str, str]) -> None:
    @blueprint.get(
        f"/{kind}-ledgers/<string:month>/{form}",
        endpoint=f"get_{kind}_ledger_{form}",
        parameters=[MONTH_PARAMETER],
    )
    @query
    @admits(*READERS)
    @blueprint.arguments(schemas.LedgerFileArgs, location="query")
    @blueprint.response(200, schema, content_type=media_type)
    def get_ledger_file(tx: Tx, args: dict[str, Any], month: str) -> Response:
        """The ledger as a file, with its headings in the language asked for."""
        return ledger_file(_ledger(tx, kind, month, args["branch_id"]), form, args["lang"])


for _kind in KINDS:
    for _form, _media_type, _schema in FILES:
        _serve_file(_kind, _form, _media_type, _schema)


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
def get_metric(tx: Tx, args: dict[str, Any], code: str) -> dict[str, Any]:
    """M1 statement accuracy, M2 satisfaction index, M3 return-visit rate. M1 is always the company's."""
    metric_or_404(code)
    view = metric_view(tx.conn, code, args["month"], require_scope(tx.actor, args["branch_id"]))
    return {**view, "month": args["month"], "revised": _with_month(view["revised"], args["month"])}


def metric_or_404(code: str) -> None:
    """Raises MetricNotFound unless `code` is one of CODES."""
    if code not in CODES:
        raise MetricNotFound(Text("the metrics are {codes}", codes=", ".join(CODES)))


def _with_month(figures: dict[str, Any] | None, month: date) -> dict[str, Any] | None:
    return {**figures, "month": month} if figures else None


@blueprint.get("/months")
@query
@admits(*READERS)
@blueprint.response(200, schemas.Months)
def list_months_of_facts(tx: Tx) -> dict[str, Any]:
    """Every month with facts, newest first, open or closed."""
    return {"items": [_month_view(each["month"], each["close"]) for each in list_months(tx.conn)]}


@blueprint.post("/months/<string:month>/close", parameters=[MONTH_PARAMETER])
@command
@admits(*CLOSERS)
@blueprint.response(200, schemas.MonthClose)
def close_month_of_chain(tx: Tx, month: str) -> dict[str, Any]:
    """Close the month of the whole chain. Refused with `month_incomplete` and every obstacle by source and day."""
    first = month_in_path(month)
    if not tx.actor.has_every_branch:
        raise ChainNotCovered("a month is closed for the whole chain; the token must cover every branch")
    extensions = current_app.extensions
    service: Service = extensions["service"]
    closed = close_month(tx, extensions["database"], service, extensions["feeds"], first)
    return _month_view(first, closed)


@blueprint.get("/sources")
@query
@admits(*READERS, "operator")
@blueprint.response(200, schemas.Completeness)
def list_sources(tx: Tx) -> dict[str, Any]:
    """Per source: up to which number every event is here, what the producer has, how many are parked."""
    service: Service = current_app.extensions["service"]
    return {"items": completeness(tx.conn, tuple(service.sources))}


def month_in_path(value: str) -> date:
    try:
        return schemas.parse_month(value)
    except ValidationError as error:
        raise MonthInvalid("a month is written as 2017-03") from error


def _month_view(month: date, close: Mapping[str, Any] | None) -> dict[str, Any]:
    found = close or {}
    return {
        "month": month,
        "state": "closed" if close else "open",
        **{name: found.get(name) for name in ("closed_at", "closed_by", "content_hash", "watermarks")},
    }


def _ledger(tx: Tx, kind: str, month: str, branch_id: str | None) -> dict[str, Any]:
    return ledger_view(tx.conn, kind, month_in_path(month), require_scope(tx.actor, branch_id))


def ledger_file(view: dict[str, Any], wanted: str, language: str | None) -> Response:
    """The ledger as a CSV or XLSX download."""
    kind, month = view["kind"], view["month"]
    translate = translator(language)
    name = f"{kind}-ledger-{month:%Y-%m}-{view['branch_id'] or 'chain'}"
    if wanted == "csv":
        response = make_response(exports.as_csv(kind, view["content"], translate))
        response.headers["Content-Type"] = "text/csv; charset=utf-8"
    else:
        title = f"{translate(kind.capitalize() + ' ledger')} {month:%Y-%m} {view['branch_id'] or translate('Whole chain')}"
        response = make_response(exports.as_xlsx(kind, title, view["content"], translate))
        response.headers["Content-Type"] = XLSX
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{wanted}"'
    return response


def _ledger_json(view: dict[str, Any]) -> dict[str, Any]:
    content, close = view["content"], view["close"] or {}
    body = {
        "kind": view["kind"],
        "month": f"{view['month']:%Y-%m}",
        "branch_id": view["branch_id"] or None,
        "state": view["state"],
        "closed_at": close.get("closed_at"),
        "closed_by": close.get("closed_by"),
        "content_hash": view["content_hash"],
        "rows": [_with_money(row) for row in content["rows"]],
        "totals": _with_money(content["totals"]),
        "revisions": [
            _with_money({name: value for name, value in each.items() if name != "of"})
            for each in view["revisions"]
        ],
        "revisions_total": view["revisions_of"],
        "revised_totals": _with_money(view["revised_totals"]) if view["revised_totals"] else None,
    }
    if "tenders" in content:
        body["tenders"] = [
            {"tender": tender, "amount": money(fen)} for tender, fen in sorted(content["tenders"].items())
        ]
    if "events" in content:
        body["events"] = [_with_money(each) for each in content["events"]]
    return body


def _with_money(row: Mapping[str, Any]) -> dict[str, Any]:
    """`net_fen: 5` becomes `net: {"fen": 5, "currency": "CNY"}`."""
    return {
        name.removesuffix("_fen"): money(value) if name.endswith("_fen") else value
        for name, value in row.items()
    }
