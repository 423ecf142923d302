"""Pages for people: overview, ledgers, indicators, sign-in; Chinese and English, printable, no CDN.

Signing in puts a bearer token into a cookie that scripts cannot read and other sites cannot send; it is
believed on GET of these pages only (shared.web.page). Links are relative, so the pages work behind any prefix.
"""

import re
from datetime import date
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, Final

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    send_from_directory,
)
from marshmallow import ValidationError

from reporting import facts, ledgers, metrics, months
from reporting.kernel.fields import parse_month
from reporting.kernel.scopes import CHAIN, READERS, require_scope
from reporting.kernel.translations import LANGUAGE_COOKIE, LANGUAGES, label, language_of_request, translator
from reporting.ledgers import COLUMNS, HEADINGS, KINDS, TITLES
from shared.callers import authenticate
from shared.clock import business_date, month_of
from shared.errors import DomainError, Invalid, NotFound, Unauthorised
from shared.identity import TOKEN_BYTES_MAX
from shared.origin import require_same_origin
from shared.service import Service
from shared.texts import BRANCH_PATTERN
from shared.transaction import Tx
from shared.web import PAGE_COOKIE, admits, page, public, query

blueprint = Blueprint("pages", __name__, template_folder="templates")

STATIC: Final = Path(__file__).parent / "static"
ROWS_SHOWN_MAX: Final = 2_000
CATEGORIES_CHARTED_MAX: Final = 10
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class TokenInAddress(Invalid):
    code = "token_in_address"
    cure = "Send the token in the form of the sign-in page, never in an address."


class PageNotFound(NotFound):
    code = "page_not_found"
    cure = "Follow the links of the start page."


@blueprint.get("/")
@page
@query
@admits(*READERS)
def overview(tx: Tx) -> Response:
    month, scope = _chosen(tx)
    views = {kind: ledgers.ledger_view(tx.conn, kind, month, scope) for kind in KINDS}
    service: Service = current_app.extensions["service"]
    return _render(
        tx,
        "overview.html",
        month,
        scope,
        views=views,
        metrics=[metrics.metric_view(tx.conn, code, month, scope) for code in metrics.CODES],
        categories=_by_category(views["sales"]["content"]["rows"]),
        sources=facts.completeness(tx.conn, tuple(service.sources)),
        charts=_charts(views),
    )


@blueprint.get("/ledgers/<string:kind>")
@page
@query
@admits(*READERS)
def ledger_page(tx: Tx, kind: str) -> Response:
    if kind not in KINDS:
        raise PageNotFound("there is no such ledger")
    month, scope = _chosen(tx)
    view = ledgers.ledger_view(tx.conn, kind, month, scope)
    wanted = request.args.get("format")
    if wanted in {"csv", "xlsx"}:
        return ledgers.ledger_file(view, wanted, language_of_request())
    return _render(tx, "ledger.html", month, scope, view=view, rows_shown_max=ROWS_SHOWN_MAX)


@blueprint.get("/indicators/<string:code>")
@page
@query
@admits(*READERS)
def indicator_page(tx: Tx, code: str) -> Response:
    metrics.require_code(code)
    month, scope = _chosen(tx)
    return _render(
        tx,
        "indicator.html",
        month,
        scope,
        metric=metrics.metric_view(tx.conn, code, month, scope),
        rule=metrics.definition(code, month),
    )


@blueprint.get("/static/<path:name>")
@public
def static_file(name: str) -> Response:
    return send_from_directory(STATIC, name, max_age=86_400)


@blueprint.get("/sign-in")
@public
def sign_in_page() -> Response:
    return _finish(render_template("sign_in.html", root="./", refusal=None, **_words()))


@blueprint.post("/sign-in")
@public
def sign_in() -> Response:
    """Take a bearer token from the form, believe it only when it verifies, and keep it in the cookie.

    One in the address would stay in histories and logs, so it is refused.
    """
    require_same_origin()
    if "token" in request.args:
        raise TokenInAddress("a token does not belong into an address; send it in the form")
    token = request.form.get("token", "").strip()[: TOKEN_BYTES_MAX + 1]
    token = token.removeprefix("Bearer ").strip()
    try:
        authenticate(f"Bearer {token}")
    except DomainError as refusal:
        body = render_template("sign_in.html", root="./", refusal=refusal.code, **_words())
        return _finish(body, refusal.status)
    response = make_response(redirect("./", 303))
    response.set_cookie(
        PAGE_COOKIE, token, httponly=True, samesite="Strict", secure=request.is_secure, path="/"
    )
    return response


@blueprint.post("/sign-out")
@public
def sign_out() -> Response:
    require_same_origin()
    response = make_response(redirect("./sign-in", 303))
    response.delete_cookie(PAGE_COOKIE, httponly=True, samesite="Strict", path="/")
    return response


def configure(app: Flask) -> None:
    """Add the pages to the application, and answer their refusals as pages."""
    app.register_blueprint(blueprint)
    problem = app.error_handler_spec[None][None][DomainError]

    def refused(error: DomainError) -> Any:
        view = current_app.view_functions.get(request.endpoint or "")
        if not getattr(view, "is_page", False):
            return problem(error)
        if isinstance(error, Unauthorised):
            return redirect(f"{_root()}sign-in", 303)
        body = render_template("refused.html", root=_root(), refusal=error, **_words())
        return _finish(body, error.status)

    app.register_error_handler(DomainError, refused)


def _root() -> str:
    """The way from the asked address to the overview: `./` or `../`."""
    return "../" * (request.path.count("/") - 1) or "./"


def _words() -> dict[str, Any]:
    language = language_of_request()
    return {"_": translator(language), "label": label(language), "language": language, "languages": LANGUAGES}


def _chosen(tx: Tx) -> tuple[date, str]:
    """The month and scope of the address; else the newest month with sales, and the widest scope allowed."""
    try:
        month = parse_month(request.args.get("month", ""))
    except ValidationError:
        month = newest_month(tx)
    branch = request.args.get("branch_id") or None
    if branch is not None and not re.match(BRANCH_PATTERN, branch):
        branch = None
    if branch is None and not tx.actor.has_every_branch:
        branch = min(tx.actor.branches, default=None)
    return month, require_scope(tx.actor, branch)


def newest_month(tx: Tx) -> date:
    """The newest month with facts that has begun in Shanghai; without any, the present one."""
    this_month = month_of(business_date(tx.now))
    known = [each["month"] for each in months.list_months(tx.conn) if each["month"] <= this_month]
    return known[0] if known else this_month


def _render(tx: Tx, template: str, month: date, scope: str, **found: Any) -> Response:
    known = [each["month"] for each in months.list_months(tx.conn)]
    branches = [branch for branch in facts.branches_of(tx.conn, month) if tx.actor.may_see(branch)]
    body = render_template(
        template,
        root=_root(),
        month=month,
        months=known if month in known else [month, *known],
        scope=scope,
        branches=branches if scope in {CHAIN, *branches} else [scope, *branches],
        sees_chain=tx.actor.has_every_branch,
        close=months.close_of(tx.conn, month),
        asked={"month": f"{month:%Y-%m}", **({"branch_id": scope} if scope else {})},
        columns=COLUMNS,
        headings=HEADINGS,
        titles=TITLES,
        kinds=KINDS,
        declared=metrics.declared,
        yuan=_yuan,
        percent=_percent,
        detailed=_detailed,
        actor=tx.actor,
        **_words(),
        **found,
    )
    return _finish(body)


def _finish(body: str, status: int = 200) -> Response:
    response = make_response(body, status)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Vary"] = "Cookie, Accept-Language"
    asked = request.args.get("lang")
    if asked in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            asked,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
            max_age=31_536_000,
            path="/",
        )
    return response


def _yuan(fen: int) -> str:
    """`123456` → `1,234.56`."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def _percent(value_bp: int | None) -> str:
    return "–" if value_bp is None else f"{value_bp // 100}.{value_bp % 100:02d}"


def _detailed(detail: dict[str, Any], name: str | None) -> Any:
    """A value of a figure's detail by its name, `dimensions.price.csat_bp`; None where no name is asked for."""
    return None if name is None else reduce(getitem, name.split("."), detail)


def _by_category(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The sales ledger's rows added up per category, the largest first."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        added = found.setdefault(row["category"], {"category": row["category"]})
        for name, value in row.items():
            if isinstance(value, int):
                added[name] = added.get(name, 0) + value
    return sorted(found.values(), key=lambda each: (-each["net_fen"], each["category"]))


def _charts(views: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The figures of the charts, with names in the reader's language; amounts in fen."""
    language = language_of_request()
    translate, name_of = translator(language), label(language)
    sales, returns, feedback = (views[kind]["content"] for kind in KINDS)
    days: dict[str, list[int]] = {}
    for row in sales["rows"]:
        figures = days.setdefault(row["day"], [0, 0])
        figures[0] += row["net_fen"]
        figures[1] += row["refund_net_fen"]
    categories = _by_category(sales["rows"])[:CATEGORIES_CHARTED_MAX]
    return {
        "words": {
            "net": translate("Net sales"),
            "refunds": translate("Refunds"),
            "none": translate("No data"),
        },
        "days": {
            "names": sorted(days),
            "net": [days[each][0] for each in sorted(days)],
            "refunds": [days[each][1] for each in sorted(days)],
        },
        "categories": [[name_of(each["category"]), each["net_fen"]] for each in categories],
        "tenders": [[name_of(tender), fen] for tender, fen in sorted(sales["tenders"].items())],
        "returns": [
            [name_of(row["reason"]), name_of(row["disposition"]), row["quantity"]] for row in returns["rows"]
        ],
        "feedback": [
            [name_of(row["channel"]), name_of(row["kind"]), row["records"]] for row in feedback["rows"]
        ],
    }
