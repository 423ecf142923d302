"""What can be read of price rules, orders and shipments. Lists are limited to the branches of the token."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from finance.orders.rules import OrderNotFound, as_named_now, lines_of
from finance.orders.tables import orders
from shared.clock import next_month
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


PROPOSED = """
select * from (
    select s.*, (
        select coalesce(sum(l.quantity * (l.unit_price_fen - l.unit_discount_fen)), 0)::bigint
        from sales_order_lines l where l.order_id = s.order_id
    ) as total_fen
    from sales_orders s where s.proposal is not null and s.state not in ('closed', 'cancelled')
) o
"""


def proposed(tx: Tx, args: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """A page of the orders of the token's branches that propose something. Raises CursorInvalid, ForeignBranch."""
    return page_of(
        tx.conn,
        PROPOSED,
        {
            "o.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "o.customer_id = :customer": args["customer_id"],
            "o.state = :state": args["state"],
        },
        {"o.order_id": UUID},
        {**args, "limit": limit},
    )
