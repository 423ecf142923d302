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
from finance.kernel.sale import PricedSale
from finance.prices.rules import DiscountNotApproved, PriceBelowFloor, is_wholesale
from finance.prices.store.in_force import best_strategy, rules_of
from finance.trade_permissions import Permission
from shared.languages import Text

_STRATEGY = best_strategy(
    branch="x.branch", day="x.day", kind="r.customer_kind", product="x.product", quantity="x.quantity"
)
_BELOW = f"""
select x.sale, x.line, x.fen < x.quantity * f.floor_fen as is_below_floor, f.floor_fen, f.free_fen
from json_to_recordset(%s::json) as x(sale int, line int, product text, customer uuid, branch text, day date,
    quantity bigint, fen bigint)
left join {trade_permissions.KINDS} p on p.customer_id = x.customer
cross join lateral (
    select max(r.floor_fen) as floor_fen,
        max(greatest(r.floor_fen, r.list_fen - r.list_fen * coalesce(s.discount_bp, 0) / 10000)) as free_fen
    from (
        select r.*, bool_or(r.customer_kind = p.kind) over () as has_own
        from {rules_of(product="x.product", customer="x.customer", day="x.day")} r
    ) r left join lateral ({_STRATEGY}) s on true
    where r.customer_kind = p.kind or r.has_own is not true
) f
where x.fen < x.quantity * f.free_fen
order by x.sale, x.line
"""
"""Of a customer whose kind is unknown or has no price the highest of all kinds counts: to hide the buyer's kind, or to name
one that nobody sells to, is no way around.
"""


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
