"""Months and what was frozen when they were closed.

A closed month answers with the frozen figures; facts that arrived later are listed as revisions beside them.
Source: P2, architecture decision 5
"""

import hashlib
from datetime import date, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection, text

from reporting.queries.ledgers import CHAIN, ledger, months_of
from reporting.queries.metrics import Metric, metric
from shared.clock import next_month

REVISIONS_SHOWN_MAX: Final = 500


def hash_of(content: Any) -> str:
    """SHA-256 of the canonical JSON (keys sorted): the same content always has the same hash."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


_CLOSE = text("select * from month_closes where month = :month")
_CLOSES = text("select * from month_closes")
_FROZEN_LEDGER = text(
    "select content, content_hash from frozen_ledgers"
    " where month = :month and kind = :kind and branch_id = :branch_id"
)
_SNAPSHOT = text(
    "select * from metric_snapshots where month = :month and metric = :code and branch_id = :branch_id"
)
_REVISIONS = text(
    """
    select source, seq, day, type, branch_id, amount_fen, recorded_at, count(*) over () as of
    from ledger_revisions
    where month = :month and (:branch_id = '' or branch_id = :branch_id)
        and type like any(cast(:types as text[]))
    order by recorded_at, source, seq limit :limit
    """
)
_TYPES_OF = {
    "sales": ["finance.sale.%", "finance.refund.%"],
    "returns": ["returns.return.%"],
    "feedback": ["service\\_desk.feedback.%"],
}


def close_of(conn: Connection, month: date) -> dict[str, Any] | None:
    """When, by whom and with which hash the month was closed; None while it is open."""
    row = conn.execute(_CLOSE, {"month": month}).mappings().one_or_none()
    return dict(row) if row else None


# Finance tells the closing on the month's last day, a re-opening on the day it happens.
_BOOKS_CLOSED = text(
    """
    with told as (
        select seq, type from facts.fact_other
        where source = 'finance' and split_part(subject, ':', 2) = :named and day >= :last
            and type in ('finance.period.closed.v1', 'finance.period.reopened.v1')
    )
    select coalesce((select type = 'finance.period.closed.v1' from told order by seq desc limit 1), false)
        or not exists (select from facts.fact_sales where day >= :month and day <= :last)
        and not exists (select from facts.fact_refunds where day >= :month and day <= :last)
    """
)


def money_is_closed(conn: Connection, month: date) -> bool:
    """Whether the books of the month are closed, as far as finance has told; without any money there is nothing to close."""
    last = next_month(month) - timedelta(days=1)
    return bool(
        conn.execute(_BOOKS_CLOSED, {"named": f"{month:%Y-%m}", "month": month, "last": last}).scalar_one()
    )


def list_months(conn: Connection) -> list[dict[str, Any]]:
    """Every month with facts, newest first, with its state."""
    closed = {row["month"]: dict(row) for row in conn.execute(_CLOSES).mappings()}
    return [
        {"month": month, "state": "closed" if month in closed else "open", "close": closed.get(month)}
        for month in sorted({*months_of(conn), *closed}, reverse=True)
    ]


def ledger_view(conn: Connection, kind: str, month: date, branch_id: str = CHAIN) -> dict[str, Any]:
    """The ledger with its state: frozen figures and revisions when the month is closed, else as facts stand."""
    close = close_of(conn, month)
    view: dict[str, Any] = {
        "kind": kind,
        "month": month,
        "branch_id": branch_id,
        "state": "closed" if close else "open",
        "close": close,
        "content_hash": None,
        "revisions": [],
        "revisions_of": 0,
        "revised_totals": None,
    }
    if close is None:
        return {**view, "content": ledger(conn, kind, month, branch_id)}
    named = {"month": month, "kind": kind, "branch_id": branch_id}
    row = conn.execute(_FROZEN_LEDGER, named).one_or_none()
    revisions = conn.execute(
        _REVISIONS,
        {"month": month, "branch_id": branch_id, "types": _TYPES_OF[kind], "limit": REVISIONS_SHOWN_MAX},
    ).mappings()
    view["revisions"] = [dict(each) for each in revisions]
    if view["revisions"]:
        view["revisions_of"] = view["revisions"][0]["of"]
        view["revised_totals"] = ledger(conn, kind, month, branch_id)["totals"]
    if row is None:  # a branch that had no facts when the month was closed
        return {**view, "content": ledger(conn, kind, _NO_FACTS, branch_id)}
    return {**view, "content": row.content, "content_hash": row.content_hash}


_NO_FACTS: Final = date(1900, 1, 1)
"""A month before any partition: its ledgers are empty."""


def metric_view(conn: Connection, code: str, month: date, branch_id: str = CHAIN) -> dict[str, Any]:
    """The metric with its state; `revised` is the figure as of now where late facts changed a frozen one."""
    now = metric(conn, code, month, branch_id)
    close = close_of(conn, month)
    if close is None:
        return {**now.as_json(), "state": "open", "frozen_at": None, "revised": None}
    row = (
        conn.execute(_SNAPSHOT, {"month": month, "code": code, "branch_id": now.branch_id})
        .mappings()
        .one_or_none()
    )
    if row is None:
        frozen = metric(conn, code, _NO_FACTS.replace(year=2000), branch_id)
    else:
        frozen = Metric(
            code=row["metric"],
            version=row["version"],
            month=month,
            branch_id=row["branch_id"],
            numerator=row["numerator"],
            denominator=row["denominator"],
            value_bp=row["value_bp"],
            n=row["n"],
            low_sample=row["low_sample"],
            detail=row["detail"],
        )
    figures = (frozen.numerator, frozen.denominator, frozen.detail)
    changed = figures != (now.numerator, now.denominator, now.detail)
    return {
        **frozen.as_json(),
        "month": f"{month:%Y-%m}",
        "state": "closed",
        "frozen_at": close["closed_at"],
        "revised": now.as_json() if changed else None,
    }
