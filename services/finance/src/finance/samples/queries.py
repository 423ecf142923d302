"""The log of samples: who asked, who approved, who handed out, what became of them.

Source: F25, X7
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance.samples import rules
from shared.clock import business_date
from shared.paging import decode_cursor, page
from shared.transaction import Tx


def sample(tx: Tx, sample_id: UUID) -> dict[str, Any]:
    """One request with all that came of it. Raises SampleNotFound, ForeignBranch."""
    row = (
        tx.conn.execute(text("select * from samples where sample_id = :id"), {"id": sample_id})
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise rules.SampleNotFound("no such sample")
    tx.actor.require_branch(row["branch_id"])
    [shown] = _shown(tx, [dict(row)])
    return shown


def samples(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Samples, newest first; keyset by id. Raises ForeignBranch."""
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        text(
            "select * from samples where (cast(:branches as text[]) is null or branch_id = any(:branches))"
            " and (cast(:customer as uuid) is null or customer_id = :customer)"
            " and (cast(:product as text) is null or product_id = :product)"
            " and (cast(:kind as text) is null or kind = :kind)"
            " and (cast(:state as text) is null or state = :state)"
            " and (not :overdue or (state = 'issued' and confirm_by < :today))"
            " and (cast(:after as text) is null or sample_id < cast(:after as uuid))"
            " order by sample_id desc limit :limit"
        ),
        {
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "customer": args["customer_id"],
            "product": args["product_id"],
            "kind": args["kind"],
            "state": args["state"],
            "overdue": args["overdue"],
            "today": business_date(tx.now),
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    found = page(rows, args["limit"], "sample_id")
    return {**found, "items": _shown(tx, found["items"])}


def _shown(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    made: dict[UUID, list[dict[str, Any]]] = {row["sample_id"]: [] for row in rows}
    found = tx.conn.execute(
        text("select * from sample_decisions where sample_id = any(:ids) order by at, role"),
        {"ids": list(made)},
    )
    for each in found.mappings():
        made[each["sample_id"]].append(dict(each))
    today = business_date(tx.now)
    return [
        {
            **row,
            "form": rules.rule("form", row["requested_on"]),
            "overdue": row["state"] == "issued" and _is_past(row["confirm_by"], today),
            "decisions": made[row["sample_id"]],
        }
        for row in rows
    ]


def _is_past(day: date, today: date) -> bool:
    return day < today
