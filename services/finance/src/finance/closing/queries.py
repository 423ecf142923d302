"""Months as they are read, and what is odd in them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance import balances
from finance.book import book_of
from finance.kernel.company import require_company
from finance.kernel.period import Period, PeriodState, ReopeningNotFound, month_text
from finance.periods import PERIODS
from shared.clock import next_month
from shared.errors import DomainError
from shared.paging import page_of
from shared.transaction import Tx


def view(period: Period) -> dict[str, Any]:
    return {**asdict(period), "month": month_text(period.month)}


def closed(tx: Tx, period: Period) -> dict[str, Any]:
    """A month that was closed, with its warnings."""
    return {**view(period), "warnings": warnings(tx, period.month)}


def obstacles(tx: Tx, month: date, period: Period | None, refusals: Sequence[DomainError]) -> dict[str, Any]:
    """What stands in the way of closing a month; nothing was ever booked to one that has no period."""
    shown = {"month": month_text(month), "state": PeriodState.OPEN} if period is None else view(period)
    return {
        **shown,
        "closes_from": next_month(month),
        "obstacles": [{"code": each.code, "detail": each.detail, "about": each.context} for each in refusals],
        "warnings": warnings(tx, month),
    }


def periods(tx: Tx) -> list[dict[str, Any]]:
    """Every month that has something, oldest first: a dozen a year."""
    rows = tx.conn.execute(text(f"select * from {PERIODS} p order by month limit 1200")).mappings()
    return [view(Period(**row)) for row in rows]


def warnings(tx: Tx, month: date) -> list[dict[str, Any]]:
    """What the books say that cannot be, and yet stops no closing: goods that were sold and never bought."""
    inventory = book_of(tx.conn).chart.code("inventory")
    negative = {
        branch: fen
        for branch, held in balances.closings_by_branch(tx.conn, next_month(month)).items()
        if (fen := held.get(inventory, 0)) < 0
    }
    if not negative:
        return []
    return [
        {
            "code": "inventory_negative",
            "detail": f"more was sold of account {inventory} than was bought: purchases are missing",
            "about": {
                "account": inventory,
                "branches": [{"branch_id": branch, "fen": fen} for branch, fen in sorted(negative.items())],
            },
        }
    ]


def reopening(tx: Tx, reopening_id: UUID) -> dict[str, Any]:
    """One request with its decisions. Raises ReopeningNotFound."""
    row = (
        tx.conn.execute(
            text("select * from period_reopenings where reopening_id = :id"), {"id": reopening_id}
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise ReopeningNotFound("no such request")
    decisions = tx.conn.execute(
        text("select * from period_reopening_decisions where reopening_id = :id order by at"),
        {"id": reopening_id},
    ).mappings()
    return {**row, "month": month_text(row["month"]), "decisions": [dict(each) for each in decisions]}


def reopenings(tx: Tx, month: date) -> list[dict[str, Any]]:
    """Every request for a month, oldest first. Raises CompanyNotCovered."""
    require_company(tx.actor)
    rows = tx.conn.execute(
        text("select reopening_id from period_reopenings where month = :month order by requested_at"),
        {"month": month},
    )
    return [reopening(tx, row.reopening_id) for row in rows]


def all_reopenings(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Requests for any month, oldest first; keyset by id. Raises CompanyNotCovered."""
    require_company(tx.actor)
    found = page_of(
        tx.conn,
        "select r.reopening_id from period_reopenings r",
        {"r.state = :state": args["state"]},
        {"r.reopening_id": UUID},
        args,
    )
    return {**found, "items": [reopening(tx, row["reopening_id"]) for row in found["items"]]}
