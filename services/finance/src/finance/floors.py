"""The lowest prices that may be asked in wholesale: no sale that no order was granted for goes below them.

Sales to patients and to people without a name are at the price on the shelf and ask nothing here. One query per sale or batch.
Source: F12
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection

from finance.domain.permission import PATIENT, Permission
from finance.domain.receipt import Channel
from finance.domain.sale import PricedSale
from shared.errors import Conflict


class PriceBelowFloor(Conflict):
    """Less is asked for one unit than the floor in force."""

    code = "price_below_floor"


_BELOW = """
select x.sale, x.line, f.floor_fen
from json_to_recordset(%s::json) as x(sale int, line int, product text, customer uuid, day date, quantity bigint,
    fen bigint)
left join trade_permissions p on p.customer_id = x.customer
left join lateral (
    select a.grade from price_grades a
    where a.customer_id = x.customer and a.state = 'approved' and a.effective_from <= x.day
    order by a.effective_from desc, a.decided_at desc limit 1
) g on true
cross join lateral (
    select max(newest.floor_fen) as floor_fen from (
        select distinct on (r.customer_kind) r.floor_fen from price_rules r
        where r.product_id = x.product and r.state = 'approved' and r.effective_from <= x.day
            and r.grade in ('', g.grade) and (p.kind is null or r.customer_kind = p.kind)
        order by r.customer_kind, r.grade desc, r.effective_from desc, r.decided_at desc
    ) newest
) f
where x.fen < x.quantity * f.floor_fen
order by x.sale, x.line
"""
"""Of a customer whose kind is unknown the highest floor of all kinds counts: not to name the buyer is no way around."""


def is_wholesale(sale: PricedSale, permission: Permission | None) -> bool:
    """Whatever the channel is called, an institution buys wholesale."""
    return sale.receipt.channel is Channel.WHOLESALE or (
        permission is not None and permission.kind != PATIENT
    )


def below(
    conn: Connection, sales: Sequence[PricedSale], permissions: Mapping[UUID, Permission]
) -> dict[int, PriceBelowFloor]:
    """Refusals of the wholesale that asks less than its floor, by the index of the sale."""
    asked: list[dict[str, Any]] = []
    for index, sale in enumerate(sales):
        customer = sale.receipt.customer_id
        if is_wholesale(sale, None if customer is None else permissions.get(customer)):
            asked += [
                {
                    "sale": index,
                    "line": no,
                    "product": line.product.id,
                    "customer": customer,
                    "day": sale.business_date,
                    "quantity": line.quantity,
                    "fen": line.quantity * line.unit_price.fen - line.discount.fen,
                }
                for no, line in enumerate(sale.receipt.lines)
            ]
    if not asked:
        return {}
    faults: dict[int, list[dict[str, str]]] = {}
    for row in conn.exec_driver_sql(_BELOW, (orjson.dumps(asked).decode(),)):
        fault = {
            "path": f"lines.{row.line}.unit_price",
            "message": f"the floor is {row.floor_fen} fen a unit",
        }
        faults.setdefault(row.sale, []).append(fault)
    return {
        index: PriceBelowFloor(
            "the price is below the floor; a wholesale below it takes an order with its approval",
            errors=found,
        )
        for index, found in faults.items()
    }


def require(conn: Connection, sale: PricedSale, permission: Permission | None) -> None:
    """Raises PriceBelowFloor when a wholesale asks too little."""
    customer = sale.receipt.customer_id
    known = {} if customer is None or permission is None else {customer: permission}
    for refusal in below(conn, [sale], known).values():
        raise refusal
