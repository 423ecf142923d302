"""What a sample that is given away would have been sold for."""

from msgspec import Struct
from sqlalchemy import Connection, text

from finance import sold
from finance.trade_permissions import KINDS

LIST_PRICE = text(f"""
select max(newest.list_fen) from (
    select distinct on (r.customer_kind) r.list_fen from price_rules r
    left join {KINDS} p on p.customer_id = :customer
    left join lateral (
        select a.grade from price_grades a
        where a.customer_id = :customer and a.state = 'approved' and a.effective_from <= :day
        order by a.effective_from desc, a.decided_at desc limit 1
    ) g on true
    where r.product_id = :product and r.state = 'approved' and r.effective_from <= :day
        and r.grade in ('', coalesce(g.grade, '')) and (p.kind is null or r.customer_kind = p.kind)
    order by r.customer_kind, r.grade desc, r.effective_from desc, r.decided_at desc
) newest
""")
"""Who has no kind is asked the highest price of all kinds, as floors are for buyers without a name."""


class Cost(Struct, frozen=True):
    """What a line of a sale cost."""

    cost_fen: int
    quantity: int


def last_cost(conn: Connection, branch_id: str, product_id: str, lot_key: str) -> Cost | None:
    """What the till took for a lot when the branch last sold it."""
    row = conn.execute(
        text(
            f"select cost_fen, quantity from {sold.LINES} l where product_id = :product and lot_key = :lot"
            " and branch_id = :branch order by booked_on desc, line_id desc limit 1"
        ),
        {"product": product_id, "lot": lot_key, "branch": branch_id},
    ).one_or_none()
    return None if row is None else Cost(*row)
