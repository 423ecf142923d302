"""The reading side of finance. Every query is limited to the branches of the token."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance.domain.refund import SaleNotFound
from finance.repository import Known
from shared.paging import decode_cursor, encode_cursor
from shared.transaction import Tx

_LINE_COLUMNS = (
    "sale_id, no, booked_on, line_id, branch_id, product_id, generic_name, category, temp_class, dosage_form,"
    " specification, mah, maker, approval_number, lot, expiry, quantity, unit_price_fen, discount_fen, net_fen,"
    " tax_bp, tax_fen, cost_fen"
)


def posted_sale(tx: Tx, known: Known) -> dict[str, Any]:
    """The answer to a receipt that was posted before: what its first sending answered."""
    key = {"sale_id": known.sale_id, "booked_on": known.booked_on}
    sale = tx.conn.execute(
        text(
            "select receipt_number, branch_id, business_date, net_fen, tax_fen, total_fen from sales"
            " where sale_id = :sale_id and booked_on = :booked_on"
        ),
        key,
    ).one()
    lines = tx.conn.execute(
        text(
            "select line_id, net_fen, tax_fen from sale_lines where sale_id = :sale_id"
            " and booked_on = :booked_on order by no"
        ),
        key,
    )
    return {
        "sale_id": known.sale_id,
        "receipt_number": sale.receipt_number,
        "branch_id": sale.branch_id,
        "business_date": sale.business_date,
        "booked_on": known.booked_on,
        "lines": [
            {"line_id": row.line_id, "net": _money(row.net_fen), "tax": _money(row.tax_fen)} for row in lines
        ],
        "net": _money(sale.net_fen),
        "tax": _money(sale.tax_fen),
        "total": _money(sale.total_fen),
    }


def _money(fen: int) -> dict[str, Any]:
    return {"fen": fen, "currency": "CNY"}


def sale_by_number(tx: Tx, branch_id: str, number: str) -> dict[str, Any]:
    """Raises ForeignBranch, SaleNotFound."""
    tx.actor.require_branch(branch_id)
    row = tx.conn.execute(
        text(
            "select sale_id, booked_on from receipts where branch_id = :branch and receipt_number = :number"
        ),
        {"branch": branch_id, "number": number},
    ).one_or_none()
    if row is None:
        raise SaleNotFound("no such receipt")
    return _sale(tx, row.sale_id, row.booked_on)


def sale(tx: Tx, sale_id: UUID) -> dict[str, Any]:
    """Raises SaleNotFound, also for a branch the token does not cover."""
    row = tx.conn.execute(
        text("select branch_id, booked_on from receipts where sale_id = :sale_id"), {"sale_id": sale_id}
    ).one_or_none()
    if row is None or not tx.actor.may_see(row.branch_id):
        raise SaleNotFound("no such sale")
    return _sale(tx, sale_id, row.booked_on)


def _sale(tx: Tx, sale_id: UUID, booked_on: Any) -> dict[str, Any]:
    key = {"sale_id": sale_id, "booked_on": booked_on}
    where = "where sale_id = :sale_id and booked_on = :booked_on"
    head = tx.conn.execute(text(f"select * from sales {where}"), key).mappings().one()
    lines = tx.conn.execute(text(f"select {_LINE_COLUMNS} from sale_lines {where} order by no"), key)
    tenders = tx.conn.execute(text(f"select tender, fen from tenders {where} order by tender"), key)
    refunded = tx.conn.execute(
        text("select coalesce(sum(total_fen), 0) from refunds where sale_id = :sale_id"), key
    ).scalar_one()
    return {
        **head,
        "lines": [dict(row) for row in lines.mappings()],
        "tenders": [dict(row) for row in tenders.mappings()],
        "refunded_fen": int(refunded),
    }


def sale_lines(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Lines of one product and lot, limited to the token's branches; keyset by sale and line."""
    if args["branch_id"] is not None:
        tx.actor.require_branch(args["branch_id"])
        branches: list[str] | None = [args["branch_id"]]
    else:
        branches = tx.actor.branch_filter()
    after = decode_cursor(args["cursor"], str, int)
    rows = tx.conn.execute(
        text(
            f"select {_LINE_COLUMNS} from sale_lines where product_id = :product and lot = :lot"
            " and (cast(:branches as text[]) is null or branch_id = any(:branches))"
            " and (cast(:sale as text) is null or (sale_id, no) > (cast(:sale as uuid), :no))"
            " order by sale_id, no limit :limit"
        ),
        {
            "product": args["product_id"],
            "lot": args["lot"],
            "branches": branches,
            "sale": after[0] if after else None,
            "no": after[1] if after else 0,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    items = [dict(row) for row in rows]
    more = len(items) > args["limit"]
    items = items[: args["limit"]]
    cursor = encode_cursor(str(items[-1]["sale_id"]), items[-1]["no"]) if more else None
    return {"items": items, "next_cursor": cursor}
