"""Statements that only read: notices for people, the sold lines behind them, eligibility beforehand."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Table, any_, select

from returns import repository
from returns.domain.notice import ReturnNotFound
from returns.domain.stop_sale import StopSaleUnknown
from returns.subscriptions import SALE_POSTED
from returns.tables import (
    cold_chain_evidence,
    inspection_reports,
    notice_history,
    return_allotments,
    return_decisions,
    return_lines,
    return_notices,
    return_pickups,
    return_receipts,
    stop_sale_liftings,
    stop_sales,
)
from shared.clock import SHANGHAI
from shared.errors import NotFound
from shared.languages import Text
from shared.lots import canonical
from shared.paging import newest_first
from shared.transaction import Tx

_EXACT = ("status", "kind", "reason", "customer_id", "sale_id", "number")


class SaleNotKnown(NotFound):
    """Not sold by this branch."""

    code = "sale_not_known"


def list_returns(tx: Tx, filters: Mapping[str, Any]) -> dict[str, Any]:
    """A page of notices, the newest first, within the branches of the token. Raises ForeignBranch."""
    wanted = select(return_notices)
    for name in _EXACT:
        if filters.get(name) is not None:
            wanted = wanted.where(return_notices.c[name] == filters[name])
    return newest_first(tx, wanted, return_notices.c.id, filters, return_notices.c.branch_id)


def get_return(tx: Tx, notice_id: UUID) -> dict[str, Any]:
    """A notice with all that happened to it. Raises ReturnNotFound, ForeignBranch."""
    notice = (
        tx.conn.execute(select(return_notices).where(return_notices.c.id == notice_id))
        .mappings()
        .one_or_none()
    )
    if notice is None:
        raise ReturnNotFound(Text("no return {notice_id}", notice_id=notice_id))
    tx.actor.require_branch(notice["branch_id"])
    lines = _rows(tx, return_lines, return_lines.c.notice_id == notice_id, "position")
    of_lines = [line["id"] for line in lines]
    evidence = {
        row["line_id"]: row
        for row in _rows(tx, cold_chain_evidence, cold_chain_evidence.c.line_id.in_(of_lines), "line_id")
    }
    reports = _rows(tx, inspection_reports, inspection_reports.c.line_id.in_(of_lines), "id")
    return {
        **notice,
        "lines": [
            {
                **line,
                "cold_chain": evidence.get(line["id"]),
                "inspections": [report for report in reports if report["line_id"] == line["id"]],
            }
            for line in lines
        ],
        "decisions": _rows(tx, return_decisions, return_decisions.c.notice_id == notice_id, "at"),
        "pickup": next(
            iter(_rows(tx, return_pickups, return_pickups.c.notice_id == notice_id, "due_at")), None
        ),
        "receipt": next(
            iter(_rows(tx, return_receipts, return_receipts.c.notice_id == notice_id, "received_at")), None
        ),
        "history": _rows(tx, notice_history, notice_history.c.notice_id == notice_id, "version"),
    }


def _rows(tx: Tx, table: Table, where: Any, order: str) -> Sequence[RowMapping]:
    return tx.conn.execute(select(table).where(where).order_by(table.c[order])).mappings().all()


def get_sold_lines(
    tx: Tx, *, branch_id: str, sale_id: str | None, receipt_number: str | None
) -> list[dict[str, Any]]:
    """The original order with what may still come back of it. Raises SaleNotKnown, ProjectionBehind, ForeignBranch. Source: R3"""
    tx.actor.require_branch(branch_id)
    sold = repository.find_sold_lines(tx, branch_id=branch_id, sale_id=sale_id, receipt_number=receipt_number)
    if not sold:
        repository.require_caught_up(tx, "finance", SALE_POSTED, "sale", sale_id)
        raise SaleNotKnown("no such sale of this branch is known here")
    reserved = {
        (row["sale_id"], row["sale_line_id"], row["lot"]): row["reserved"]
        for row in tx.conn.execute(
            select(return_allotments).where(return_allotments.c.sale_id.in_({row["sale_id"] for row in sold}))
        ).mappings()
    }
    return [
        {
            **row,
            "sold_on": row["sold_at"].astimezone(SHANGHAI).date(),
            "returnable": row["quantity"]
            - reserved.get((row["sale_id"], row["sale_line_id"], row["lot"]), 0),
        }
        for row in sold
    ]


def list_stop_sales(tx: Tx, filters: Mapping[str, Any]) -> dict[str, Any]:
    """A page of stops, the newest first; they bind every branch, so everyone may see them."""
    wanted = select(stop_sales)
    for name in ("product_id", "state"):
        if filters.get(name) is not None:
            wanted = wanted.where(stop_sales.c[name] == filters[name])
    if filters.get("lot") is not None:
        wanted = wanted.where(any_(stop_sales.c.lot_keys) == canonical(filters["lot"]))
    found = newest_first(tx, wanted, stop_sales.c.id, filters)
    return {**found, "items": _with_liftings(tx, found["items"])}


def get_stop_sale(tx: Tx, stop_id: UUID) -> dict[str, Any]:
    """A stop with every request to lift it. Raises StopSaleUnknown."""
    found = _rows(tx, stop_sales, stop_sales.c.id == stop_id, "id")
    if not found:
        raise StopSaleUnknown("no such stop of sale")
    return _with_liftings(tx, found)[0]


def _with_liftings(tx: Tx, stops: Sequence[RowMapping]) -> list[dict[str, Any]]:
    ids = [stop["id"] for stop in stops]
    liftings = _rows(tx, stop_sale_liftings, stop_sale_liftings.c.stop_sale_id.in_(ids), "id")
    return [
        {**stop, "liftings": [each for each in liftings if each["stop_sale_id"] == stop["id"]]}
        for stop in stops
    ]
