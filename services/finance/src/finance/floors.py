"""The lowest prices that may be asked in wholesale: no sale that no order was granted for goes below them.

They are those of an order whose requester may lower nothing: the list price less the best strategy, and never below the floor.
Sales to patients and to people without a name are at the price on the shelf and ask nothing here. One query per sale or batch.
Source: F11, F12
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection

from finance import trade_permissions
from finance.kernel.receipt import Channel
from finance.kernel.sale import PricedSale
from finance.trade_permissions import Permission
from shared.errors import Conflict
from shared.languages import Text


class PriceBelowFloor(Conflict):
    """Less is asked for one unit than the floor in force."""

    code = "price_below_floor"


class DiscountNotApproved(Conflict):
    """Less is asked than list price and strategies allow, and nobody with the authority approved it."""

    code = "discount_not_approved"


def best_strategy(*, branch: str, day: str, kind: str, product: str, quantity: str) -> str:
    """SQL of the strategy in force that lowers a list price most; the arguments are SQL expressions."""
    return f"""
    select strategy_id, discount_bp from sales_strategies s
    where state = 'approved' and discount_bp > 0 and {day} between first_day and last_day
        and coalesce(branch_id, {branch}) = {branch} and min_quantity <= {quantity}
        and (cardinality(products) = 0 or {product} = any(products))
        and (cardinality(customer_kinds) = 0 or {kind} = any(customer_kinds))
        and (plan_id is null or exists (
            select 1 from promotion_plans p where p.plan_id = s.plan_id and p.state = 'approved'))
    order by discount_bp desc, strategy_id limit 1"""


_STRATEGY = best_strategy(
    branch="x.branch", day="x.day", kind="r.customer_kind", product="x.product", quantity="x.quantity"
)
_BELOW = f"""
select x.sale, x.line, x.fen < x.quantity * f.floor_fen as is_below_floor, f.floor_fen, f.free_fen
from json_to_recordset(%s::json) as x(sale int, line int, product text, customer uuid, branch text, day date,
    quantity bigint, fen bigint)
left join {trade_permissions.KINDS} p on p.customer_id = x.customer
left join lateral (
    select a.grade from price_grades a
    where a.customer_id = x.customer and a.state = 'approved' and a.effective_from <= x.day
    order by a.effective_from desc, a.decided_at desc limit 1
) g on true
cross join lateral (
    select max(r.floor_fen) as floor_fen,
        max(greatest(r.floor_fen, r.list_fen - r.list_fen * coalesce(s.discount_bp, 0) / 10000)) as free_fen
    from (
        select distinct on (r.customer_kind) r.customer_kind, r.floor_fen, r.list_fen,
            bool_or(r.customer_kind = p.kind) over () as has_own
        from price_rules r
        where r.product_id = x.product and r.state = 'approved' and r.effective_from <= x.day
            and r.grade in ('', g.grade)
        order by r.customer_kind, r.grade desc, r.effective_from desc, r.decided_at desc
    ) r left join lateral ({_STRATEGY}) s on true
    where r.customer_kind = p.kind or r.has_own is not true
) f
where x.fen < x.quantity * f.free_fen
order by x.sale, x.line
"""
"""Of a customer whose kind is unknown or has no price the highest of all kinds counts: to hide the buyer's kind, or to name
one that nobody sells to, is no way around.
"""


def is_wholesale(sale: PricedSale, permission: Permission | None) -> bool:
    """Whatever the channel is called, an institution buys wholesale."""
    return sale.receipt.channel is Channel.WHOLESALE or (permission is not None and permission.is_institution)


def below(
    conn: Connection, sales: Sequence[PricedSale], held: Mapping[tuple[UUID, date], Permission]
) -> dict[int, PriceBelowFloor | DiscountNotApproved]:
    """Refusals of the wholesale that asks less than it may, by the index of the sale."""
    asked: list[dict[str, Any]] = []
    for index, sale in enumerate(sales):
        customer = sale.receipt.customer_id
        if is_wholesale(sale, None if customer is None else held.get((customer, sale.business_date))):
            asked += [
                {
                    "sale": index,
                    "line": no,
                    "product": line.product.id,
                    "customer": customer,
                    "branch": sale.receipt.branch_id,
                    "day": sale.business_date,
                    "quantity": line.quantity,
                    "fen": line.quantity * line.unit_price.fen - line.discount.fen,
                }
                for no, line in enumerate(sale.receipt.lines)
            ]
    if not asked:
        return {}
    faults: dict[int, list[dict[str, str]]] = {}
    below_floor: set[int] = set()
    for row in conn.exec_driver_sql(_BELOW, (orjson.dumps(asked).decode(),)):
        message = (
            Text("the floor is {fen} fen a unit", fen=row.floor_fen)
            if row.is_below_floor
            else Text("the price is {fen} fen a unit", fen=row.free_fen)
        )
        fault = {"path": f"lines.{row.line}.unit_price", "message": message}
        faults.setdefault(row.sale, []).append(fault)
        if row.is_below_floor:
            below_floor.add(row.sale)
    return {
        index: PriceBelowFloor(
            "the price is below the floor; a wholesale below it takes an order with its approval",
            errors=found,
        )
        if index in below_floor
        else DiscountNotApproved("a wholesale below its price takes an order with its approval", errors=found)
        for index, found in faults.items()
    }


def require(conn: Connection, sale: PricedSale, permission: Permission | None) -> None:
    """Raises PriceBelowFloor or DiscountNotApproved when a wholesale asks too little."""
    customer = sale.receipt.customer_id
    held = {} if customer is None or permission is None else {(customer, sale.business_date): permission}
    for refusal in below(conn, [sale], held).values():
        raise refusal
