"""Ledgers over HTTP, as JSON and as files. Readers see only what their token's branches cover."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, jsonify, make_response

from reporting.kernel import fields
from reporting.kernel.fields import MONTH_PARAMETER, month_in_path
from reporting.kernel.scopes import READERS, require_scope
from reporting.kernel.translations import translator
from reporting.ledgers import papers, schemas
from reporting.ledgers.queries.ledgers import KINDS
from reporting.ledgers.queries.views import ledger_view
from shared.arguments import Blueprint
from shared.money import money
from shared.transaction import Tx
from shared.web import admits, query

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILES: Final = (
    ("csv", "text/csv", {"type": "string"}),
    ("xlsx", XLSX, {"type": "string", "contentMediaType": XLSX}),
)

blueprint = Blueprint("reporting", __name__, description="Monthly ledgers and evaluation metrics")


@blueprint.get("/sales-ledgers/<string:month>", parameters=[MONTH_PARAMETER])
@query
@admits(*READERS)
@blueprint.arguments(fields.BranchArgs, location="query")
@blueprint.response(200, schemas.SalesLedger)
def get_sales_ledger(tx: Tx, args: dict[str, Any], month: str) -> Response:
    """Per day and category: receipts, quantity, net, VAT, total, cost, margin, refunds; and totals per tender."""
    return jsonify(_ledger_json(_ledger(tx, "sales", month, args["branch_id"])))


@blueprint.get("/returns-ledgers/<string:month>", parameters=[MONTH_PARAMETER])
@query
@admits(*READERS)
@blueprint.arguments(fields.BranchArgs, location="query")
@blueprint.response(200, schemas.ReturnsLedger)
def get_returns_ledger(tx: Tx, args: dict[str, Any], month: str) -> Response:
    """Settled returns per reason and disposition; and how many were requested, refused and decided, and why."""
    return jsonify(_ledger_json(_ledger(tx, "returns", month, args["branch_id"])))


@blueprint.get("/feedback-ledgers/<string:month>", parameters=[MONTH_PARAMETER])
@query
@admits(*READERS)
@blueprint.arguments(fields.BranchArgs, location="query")
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


def _ledger(tx: Tx, kind: str, month: str, branch_id: str | None) -> dict[str, Any]:
    return ledger_view(tx.conn, kind, month_in_path(month), require_scope(tx.actor, branch_id))


def ledger_file(view: dict[str, Any], wanted: str, language: str | None) -> Response:
    """The ledger as a CSV or XLSX download."""
    kind, month = view["kind"], view["month"]
    translate = translator(language)
    name = f"{kind}-ledger-{month:%Y-%m}-{view['branch_id'] or 'chain'}"
    if wanted == "csv":
        response = make_response(papers.as_csv(kind, view["content"], translate))
        response.headers["Content-Type"] = "text/csv; charset=utf-8"
    else:
        title = (
            f"{translate(papers.TITLES[kind])} {month:%Y-%m} {view['branch_id'] or translate('Whole chain')}"
        )
        response = make_response(papers.as_xlsx(kind, title, view["content"], translate))
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
