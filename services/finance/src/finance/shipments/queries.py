"""What can be read of shipments. Lists are limited to the branches of the token."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance.orders import LINES, ORDERS, SHIPMENT_LINES, SHIPMENTS
from finance.shipments.rules import ShipmentNotFound
from shared.clock import business_date, next_month
from shared.money import half_up
from shared.paging import decode_cursor, page, page_of
from shared.transaction import Tx


def shipment(tx: Tx, shipment_id: UUID) -> dict[str, Any]:
    """A shipment with its lots and the products as they were called. Raises ShipmentNotFound."""
    row = (
        tx.conn.execute(
            text(
                f"select s.*, o.number, o.customer_id, o.contract_id from {SHIPMENTS} s"
                f" join {ORDERS} o using (order_id) where s.shipment_id = :id"
            ),
            {"id": shipment_id},
        )
        .mappings()
        .one_or_none()
    )
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise ShipmentNotFound("no such shipment")
    lines = tx.conn.execute(
        text(
            f"select s.*, l.product from {SHIPMENT_LINES} s join {LINES} l on l.order_id = :order"
            " and l.no = s.order_line where s.shipment_id = :id order by s.no"
        ),
        {"id": shipment_id, "order": row["order_id"]},
    ).mappings()
    found = [
        {**each, "total_fen": each["quantity"] * (each["unit_price_fen"] - each["unit_discount_fen"])}
        for each in lines
    ]
    return {**row, "lines": found}


_SHIPMENTS = (
    f"select s.*, o.number, o.customer_id from {SHIPMENTS} s join {ORDERS} o on o.order_id = s.order_id"
)


def shipments(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Shipments without their lots, by the day they were sent; keyset by day and id. Raises ForeignBranch."""
    return page_of(
        tx.conn,
        _SHIPMENTS,
        {
            "s.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "s.order_id = :order_id": args["order_id"],
            "o.customer_id = :customer_id": args["customer_id"],
            "s.sent_on >= :first": args["first"],
            "s.sent_on <= :until": args["until"],
        },
        {"s.sent_on": date, "s.shipment_id": UUID},
        args,
    )


_DUE = text(f"""
select o.order_id, o.number, o.branch_id, o.customer_id, l.no as line_no, coalesce(l.product ->> 'product_id', l.product ->> 'id') as product_id, l.deliver_on,
    l.quantity - l.shipped_quantity as left_quantity, greatest(:today - l.deliver_on, 0) as late_days
from {LINES} l join {ORDERS} o using (order_id)
where o.state in ('confirmed', 'part_shipped') and l.shipped_quantity < l.quantity and l.deliver_on <= :until
    and (cast(:branches as text[]) is null or o.branch_id = any(:branches))
    and (cast(:day as date) is null or (l.deliver_on, o.order_id, l.no) > (:day, cast(:order as uuid), :line))
order by l.deliver_on, o.order_id, l.no limit :limit
""")


def due(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Lines that wait for their shipment until a day, the latest first of all; `late_days` above 0 are late (F10)."""
    day, order, line = decode_cursor(args["cursor"], date, UUID, int)
    today = business_date(tx.now)
    rows = tx.conn.execute(
        _DUE,
        {
            "today": today,
            "until": args["until"] or today,
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "day": day,
            "order": order,
            "line": line,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page(rows, args["limit"], "deliver_on", "order_id", "line_no")


_LINES_OF_MONTH = text(f"""
select o.branch_id, count(*) as due, count(*) filter (where l.completed_on <= l.deliver_on) as on_time,
    count(*) filter (where l.completed_on > l.deliver_on or (l.completed_on is null and l.deliver_on < :today)) as late
from {LINES} l join {ORDERS} o using (order_id)
where l.deliver_on >= :first and l.deliver_on < :until and o.state <> 'cancelled' and o.confirmed_at is not null
    and (l.shipped_quantity > 0 or o.state in ('confirmed', 'part_shipped'))
    and (cast(:branches as text[]) is null or o.branch_id = any(:branches))
group by o.branch_id
""")
_FIRST_SHIPMENTS = text(f"""
select branch_id, count(*) as shipped, sum(extract(epoch from sent_at - confirmed_at))::bigint as waited_s,
    max(extract(epoch from sent_at - confirmed_at))::bigint as longest_s
from {SHIPMENTS} s where no = 1 and sent_on >= :first and sent_on < :until
    and (cast(:branches as text[]) is null or branch_id = any(:branches))
group by branch_id
""")


def figures(tx: Tx, month: date, branch_id: str | None) -> dict[str, Any]:
    """Per branch: lines due in a month and how many were shipped whole in time; seconds from confirmation to first shipment.

    A line of a closed order that never shipped counts nowhere: it was given up with the customer.
    """
    span = {
        "first": month,
        "until": next_month(month),
        "today": business_date(tx.now),
        "branches": tx.actor.branch_filter(branch_id),
    }
    found: dict[str, dict[str, Any]] = {}
    for row in tx.conn.execute(_LINES_OF_MONTH, span).mappings():
        found[row["branch_id"]] = {**_NOTHING, **row}
    for row in tx.conn.execute(_FIRST_SHIPMENTS, span).mappings():
        found[row["branch_id"]] = {**found.get(row["branch_id"], _NOTHING), **row}
    return {
        "branches": [
            {
                **row,
                "on_time_bp": half_up(row["on_time"] * 10_000, row["due"]) if row["due"] else None,
                "waited_s": half_up(row["waited_s"], row["shipped"]) if row["shipped"] else None,
            }
            for _, row in sorted(found.items())
        ]
    }


_NOTHING = {"due": 0, "on_time": 0, "late": 0, "shipped": 0, "waited_s": 0, "longest_s": None}
