"""Which grade, which price rule and which strategy are in force: the one rule, for orders, sales and samples."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Connection, text

from finance import promotion_plans
from finance.prices.rules import Prices
from finance.trade_permissions import KINDS


class Asked(NamedTuple):
    """A line of which the price is asked: its number, its product and how much of it."""

    no: int
    product: str
    quantity: int


def best_strategy(*, branch: str, day: str, kind: str, product: str, quantity: str) -> str:
    """SQL of the strategy in force that lowers a list price most; the arguments are SQL expressions."""
    return f"""
    select strategy_id, discount_bp from sales_strategies s
    where state = 'approved' and discount_bp > 0 and {day} between first_day and last_day
        and coalesce(branch_id, {branch}) = {branch} and min_quantity <= {quantity}
        and (cardinality(products) = 0 or {product} = any(products))
        and (cardinality(customer_kinds) = 0 or {kind} = any(customer_kinds))
        and (plan_id is null or exists (
            select 1 from {promotion_plans.APPROVED} p where p.plan_id = s.plan_id))
    order by discount_bp desc, strategy_id limit 1"""


_STRATEGY = best_strategy(
    branch=":branch", day=":day", kind=":kind", product="a.product", quantity="a.quantity"
)
_RULES = """
    select distinct on (r.customer_kind) r.customer_kind, r.rule_id, r.list_fen, r.floor_fen
    from price_rules r left join lateral (
        select a.grade from price_grades a
        where a.customer_id = {customer} and a.state = 'approved' and a.effective_from <= {day}
        order by a.effective_from desc, a.decided_at desc limit 1
    ) g on true
    where r.product_id = {product} and r.state = 'approved' and r.effective_from <= {day}
        and r.grade in ('', coalesce(g.grade, ''))
    order by r.customer_kind, r.grade desc, r.effective_from desc, r.decided_at desc
"""


def rules_of(*, product: str, customer: str, day: str) -> str:
    """SQL of the rule in force for each kind of customer; the arguments are SQL expressions.

    A rule for the customer's grade goes before one for any grade; of either the newest counts.
    """
    return f"({_RULES.format(product=product, customer=customer, day=day)})"


_IN_FORCE = text(f"""
select a.no, r.rule_id, r.list_fen, r.floor_fen, s.strategy_id, coalesce(s.discount_bp, 0) as concession_bp
from json_to_recordset(cast(:asked as json)) as a(no int, product text, quantity bigint)
join lateral {rules_of(product="a.product", customer="cast(:customer as uuid)", day="cast(:day as date)")} r
    on r.customer_kind = :kind
left join lateral ({_STRATEGY}
) s on true
""")
_LIST_PRICE = text(f"""
select max(r.list_fen) from {rules_of(product=":product", customer="cast(:customer as uuid)", day="cast(:day as date)")} r
left join {KINDS} p on p.customer_id = cast(:customer as uuid)
where p.kind is null or r.customer_kind = p.kind
""")


def list_price(conn: Connection, product_id: str, customer_id: UUID | None, day: date) -> int | None:
    """The list price of one unit in fen; of a customer without a kind the highest of all kinds, as with floors."""
    found: int | None = conn.execute(
        _LIST_PRICE, {"product": product_id, "customer": customer_id, "day": day}
    ).scalar_one()
    return found


def in_force(
    conn: Connection, *, customer_id: UUID, kind: str, branch_id: str, asked: Sequence[Asked], day: date
) -> dict[int, Prices]:
    """Prices by the number of the line; lines of products without a price are missing. One query.

    A rule for the customer's grade goes before one for any grade; of either the newest in force counts.
    """
    rows = conn.execute(
        _IN_FORCE,
        {
            "asked": orjson.dumps([each._asdict() for each in asked]).decode(),
            "customer": customer_id,
            "kind": kind,
            "branch": branch_id,
            "day": day,
        },
    )
    return {
        row.no: Prices(
            list_fen=row.list_fen,
            floor_fen=row.floor_fen,
            rule_id=str(row.rule_id),
            concession_bp=row.concession_bp,
            strategy_id=None if row.strategy_id is None else str(row.strategy_id),
        )
        for row in rows
    }
