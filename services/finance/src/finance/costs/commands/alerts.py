"""Sales below cost are found in the order of finance's own events, told, and acknowledged by another person.

Source: F5
"""

from uuid import UUID

from sqlalchemy import text

from finance import sold
from finance.costs.rules import AlertAcknowledged, AlertNotFound, SellerAcknowledges
from shared import audit
from shared.transaction import Tx

SCAN_EVENTS_MAX = 2_000
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


def find(tx: Tx) -> int:
    """Look through the next events of sales; returns how many events were passed, 0 when all are.

    A line is below cost when its net is less than the till's cost, or than what its lot costs on average now.
    """
    tx.conn.execute(text("insert into below_cost_scan (one, last_seq) values (1, 0) on conflict do nothing"))
    after = tx.conn.execute(
        text("select last_seq from below_cost_scan where one = 1 for update")
    ).scalar_one()
    head = tx.conn.execute(
        text("select coalesce(max(last_seq), 0) from outbox_head where one = 1")
    ).scalar_one()
    until = min(head, after + SCAN_EVENTS_MAX)
    if until <= after:
        return 0
    tx.conn.execute(text(_SCAN), {"after": after, "until": until, "now": tx.now})
    tx.conn.execute(text("update below_cost_scan set last_seq = :until"), {"until": until})
    return int(until - after)


def acknowledge(tx: Tx, line_id: UUID, reason: str) -> None:
    """Say why a line was sold below cost. Raises AlertNotFound, ForeignBranch, AlertAcknowledged, SellerAcknowledges."""
    row = tx.conn.execute(
        text(
            "select branch_id, sold_by, acknowledged_by from below_cost_alerts where line_id = :id for update"
        ),
        {"id": line_id},
    ).one_or_none()
    if row is None:
        raise AlertNotFound("no such alert")
    tx.actor.require_branch(row.branch_id)
    if row.acknowledged_by is not None:
        raise AlertAcknowledged("this alert is acknowledged")
    if row.sold_by == tx.actor.id:
        raise SellerAcknowledges("who sold below cost does not acknowledge it")
    tx.conn.execute(
        text(
            "update below_cost_alerts set acknowledged_by = :person, acknowledged_at = :now, reason = :reason"
            " where line_id = :id"
        ),
        {"person": tx.actor.id, "now": tx.now, "reason": reason, "id": line_id},
    )
    audit.record(tx, "below_cost.acknowledge", str(line_id), after=reason)
