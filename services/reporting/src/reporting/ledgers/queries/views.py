"""A ledger with its state: frozen figures and revisions when the month is closed, else as facts stand.

Source: P2, architecture decision 5
"""

from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from reporting import months
from reporting.kernel.scopes import CHAIN, NO_FACTS
from reporting.ledgers.queries.ledgers import ledger

_FROZEN_LEDGER = text(
    "select content, content_hash from frozen_ledgers"
    " where month = :month and kind = :kind and branch_id = :branch_id"
)
_TYPES_OF = {
    "sales": ["finance.sale.%", "finance.refund.%"],
    "returns": ["returns.return.%"],
    "feedback": ["service\\_desk.feedback.%"],
}


def ledger_view(conn: Connection, kind: str, month: date, branch_id: str = CHAIN) -> dict[str, Any]:
    """The ledger with its state: frozen figures and revisions when the month is closed, else as facts stand."""
    close = months.close_of(conn, month)
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
    view["revisions"] = months.revisions_of(conn, month, branch_id, _TYPES_OF[kind])
    if view["revisions"]:
        view["revisions_of"] = view["revisions"][0]["of"]
        view["revised_totals"] = ledger(conn, kind, month, branch_id)["totals"]
    if row is None:  # a branch that had no facts when the month was closed
        return {**view, "content": ledger(conn, kind, NO_FACTS, branch_id)}
    return {**view, "content": row.content, "content_hash": row.content_hash}
