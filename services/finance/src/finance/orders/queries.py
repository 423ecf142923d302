"""What can be read of price rules, orders and shipments. Lists are limited to the branches of the token."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from finance.orders.rules import OrderNotFound, ShipmentNotFound, as_named_now, lines_of
from finance.orders.tables import orders
from shared.clock import business_date, next_month
from shared.money import half_up
from shared.paging import decode_cursor, page, page_of
from shared.transaction import Tx


def order(tx: Tx, order_id: UUID) -> dict[str, Any]:
    """An order: what is confirmed, what is proposed, decisions and shipments. Raises OrderNotFound."""
    key = {"id": order_id}
    row = tx.conn.execute(select(orders).where(orders.c.order_id == order_id)).mappings().one_or_none()
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise OrderNotFound("no such order")
    lines = tx.conn.execute(text("select * from sales_order_lines where order_id = :id order by no"), key)
    made = tx.conn.execute(
        text(
            "select *, subject_hash = :hash as counts from order_approvals where order_id = :id order by at"
        ),
        {**key, "hash": row["proposal_hash"] or ""},
    )
    sent = tx.conn.execute(
        text(
            "select shipment_id, no, sale_id, receipt_number, sent_on, total_fen from shipments"
            " where order_id = :id order by no limit 200"
        ),
        key,
    )
    said = tx.conn.execute(
        text("select * from sales_order_revisions where order_id = :id order by version desc limit 200"), key
    )
    proposal = None if row["proposal"] is None else [_line(each) for each in row["proposal"]]
    confirmed = [_line(dict(each)) for each in lines.mappings()]
    return {
        **row,
        "lines": confirmed,
        "proposal": proposal,
        "approvals": [dict(each) for each in made.mappings()],
        "shipments": [dict(each) for each in sent.mappings()],
        "revisions": [dict(each) for each in said.mappings()],
        "total_fen": sum(each["total_fen"] for each in confirmed),
    }


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    asked = row["unit_price_fen"] - row["unit_discount_fen"]
    [line] = lines_of([{name: value for name, value in row.items() if value is not None}])
    return {
        **as_named_now(row),
        "deliver_on": line.deliver_on,
        "lots": [{"lot": each.lot, "expiry": each.expiry} for each in line.lots],
        "total_fen": asked * row["quantity"],
    }


_ORDERS = text("""
select o.*, coalesce(sum(l.quantity * (l.unit_price_fen - l.unit_discount_fen)), 0)::bigint as total_fen
from (
    select * from sales_orders
    where (cast(:branches as text[]) is null or branch_id = any(:branches))
        and (cast(:customer as uuid) is null or customer_id = :customer)
        and (cast(:state as text) is null or state = :state)
        and (cast(:after as uuid) is null or order_id > cast(:after as uuid))
    order by order_id limit :limit
) o left join sales_order_lines l using (order_id)
group by o.order_id, o.number, o.branch_id, o.customer_id, o.contract_id, o.state, o.version, o.events, o.shipments,
    o.proposal, o.proposal_hash, o.proposed_by, o.proposed_at, o.proposer_roles, o.drafted_by, o.drafted_at,
    o.confirmed_by, o.confirmed_at, o.permission_version, o.ended_by, o.ended_at, o.ended_reason
order by o.order_id
""")


def list_orders(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Orders by id, with the value of what is confirmed."""
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        _ORDERS,
        {
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "customer": args["customer_id"],
            "state": args["state"],
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page(rows, args["limit"], "order_id")


_EXCEPTIONS = text("""
select r.order_id, o.number, o.branch_id, o.customer_id, r.version, r.total_fen, r.proposed_by, r.confirmed_by,
    r.confirmed_at, r.override_id is not null as has_override, p.discounts, p.below_floor,
    array(select distinct a.person from order_approvals a where a.order_id = r.order_id
        and a.subject_hash = r.subject_hash and a.approved order by a.person) as approved_by
from sales_order_revisions r join sales_orders o using (order_id)
cross join lateral (
    select count(*) filter (where x ->> 'verdict' = 'discount') as discounts,
        count(*) filter (where x ->> 'verdict' = 'below_floor') as below_floor from jsonb_array_elements(r.prices) x
) p
where r.confirmed_at >= (cast(:first as timestamp) at time zone 'Asia/Shanghai')
    and r.confirmed_at < (cast(:until as timestamp) at time zone 'Asia/Shanghai')
    and (r.override_id is not null or p.discounts > 0 or p.below_floor > 0)
    and (cast(:branches as text[]) is null or o.branch_id = any(:branches))
    and (cast(:after as uuid) is null or (r.order_id, r.version) > (cast(:after as uuid), cast(:version as int)))
order by r.order_id, r.version limit :limit
""")


def exceptions(tx: Tx, month: date, args: Mapping[str, Any]) -> dict[str, Any]:
    """What was confirmed in a month beyond somebody's own authority, and who let it pass (F27)."""
    after, version = decode_cursor(args["cursor"], UUID, int)
    rows = tx.conn.execute(
        _EXCEPTIONS,
        {
            "first": month,
            "until": next_month(month),
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "after": after,
            "version": version,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page(rows, args["limit"], "order_id", "version")


def shipment(tx: Tx, shipment_id: UUID) -> dict[str, Any]:
    """A shipment with its lots and the products as they were called. Raises ShipmentNotFound."""
    row = (
        tx.conn.execute(
            text(
                "select s.*, o.number, o.customer_id, o.contract_id from shipments s"
                " join sales_orders o using (order_id) where s.shipment_id = :id"
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
            "select s.*, l.product from shipment_lines s join sales_order_lines l on l.order_id = :order"
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
    "select s.*, o.number, o.customer_id from shipments s join sales_orders o on o.order_id = s.order_id"
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


_DUE = text("""
select o.order_id, o.number, o.branch_id, o.customer_id, l.no as line_no, coalesce(l.product ->> 'product_id', l.product ->> 'id') as product_id, l.deliver_on,
    l.quantity - l.shipped_quantity as left_quantity, greatest(:today - l.deliver_on, 0) as late_days
from sales_order_lines l join sales_orders o using (order_id)
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


_LINES_OF_MONTH = text("""
select o.branch_id, count(*) as due, count(*) filter (where l.completed_on <= l.deliver_on) as on_time,
    count(*) filter (where l.completed_on > l.deliver_on or (l.completed_on is null and l.deliver_on < :today)) as late
from sales_order_lines l join sales_orders o using (order_id)
where l.deliver_on >= :first and l.deliver_on < :until and o.state <> 'cancelled' and o.confirmed_at is not null
    and (l.shipped_quantity > 0 or o.state in ('confirmed', 'part_shipped'))
    and (cast(:branches as text[]) is null or o.branch_id = any(:branches))
group by o.branch_id
""")
_FIRST_SHIPMENTS = text("""
select branch_id, count(*) as shipped, sum(extract(epoch from sent_at - confirmed_at))::bigint as waited_s,
    max(extract(epoch from sent_at - confirmed_at))::bigint as longest_s
from shipments where no = 1 and sent_on >= :first and sent_on < :until
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
