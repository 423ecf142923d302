"""The rows of sale lines below cost, and how far the search for them has come."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from finance import sold
from shared.transaction import Tx

_SCAN = f"""
with told as (
    select o.day, o.subject::uuid as sale_id from outbox o
    where o.seq > :after and o.seq <= :until and o.type = 'finance.sale.posted.v1'
), sold as (
    -- each sale's lines by their key, whatever the planner thinks: never all months of them
    select l.* from told t cross join lateral (
        select x.sale_id, x.branch_id, x.booked_on as day, x.line_id, x.product_id, x.lot, x.lot_key, x.quantity,
            x.net_fen, x.cost_fen
        from {sold.LINES} x where x.sale_id = t.sale_id and x.booked_on = t.day offset 0) l
), judged as (
    select s.*, case when k.quantity > 0 then
        ((2 * k.value_fen::numeric * s.quantity + k.quantity) / (2 * k.quantity))::numeric end as average_cost
    from sold s
    left join lot_stock k on k.branch_id = s.branch_id and k.product_id = s.product_id and k.lot = s.lot_key
)
insert into below_cost_alerts (line_id, sale_id, branch_id, booked_on, product_id, lot, quantity, net_fen, cost_fen,
    basis, sold_by, found_at)
select j.line_id, j.sale_id, j.branch_id, j.day, j.product_id, j.lot, j.quantity, j.net_fen,
    case when j.net_fen < j.cost_fen then j.cost_fen else floor(j.average_cost)::bigint end,
    case when j.net_fen < j.cost_fen then 'till' else 'average' end,
    (select s.posted_by from {sold.SALES} s where s.sale_id = j.sale_id and s.booked_on = j.day), :now
from judged j where j.net_fen < j.cost_fen or j.net_fen < floor(j.average_cost)
on conflict (line_id) do nothing
"""


def locked_position(tx: Tx) -> int:
    """The last of finance's own events that was looked at, 0 at first; who searches holds it."""
    tx.conn.execute(text("insert into below_cost_scan (one, last_seq) values (1, 0) on conflict do nothing"))
    position: int = tx.conn.execute(
        text("select last_seq from below_cost_scan where one = 1 for update")
    ).scalar_one()
    return position


def last_event(tx: Tx) -> int:
    """The newest of finance's own events."""
    head: int = tx.conn.execute(
        text("select coalesce(max(last_seq), 0) from outbox_head where one = 1")
    ).scalar_one()
    return head


def add_below_cost(tx: Tx, after: int, until: int) -> None:
    """Keep the lines below cost of the sales told by the events beyond `after` and up to `until`, which are then passed."""
    tx.conn.execute(text(_SCAN), {"after": after, "until": until, "now": tx.now})
    tx.conn.execute(text("update below_cost_scan set last_seq = :until"), {"until": until})


def locked_alert(tx: Tx, line_id: UUID) -> Row[Any] | None:
    """Its branch, who sold, and who acknowledged it."""
    return tx.conn.execute(
        text(
            "select branch_id, sold_by, acknowledged_by from below_cost_alerts where line_id = :id for update"
        ),
        {"id": line_id},
    ).one_or_none()


def acknowledge_alert(tx: Tx, line_id: UUID, reason: str) -> None:
    """By the person who acts, now."""
    tx.conn.execute(
        text(
            "update below_cost_alerts set acknowledged_by = :person, acknowledged_at = :now, reason = :reason"
            " where line_id = :id"
        ),
        {"person": tx.actor.id, "now": tx.now, "reason": reason, "id": line_id},
    )
