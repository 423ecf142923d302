"""Sales below cost are found in the order of finance's own events, told, and acknowledged by another person.

Source: F5
"""

from uuid import UUID

from finance.costs.rules import AlertAcknowledged, AlertNotFound, SellerAcknowledges
from finance.costs.store import alerts as store
from shared import audit
from shared.transaction import Tx

SCAN_EVENTS_MAX = 2_000


def find(tx: Tx) -> int:
    """Look through the next events of sales; returns how many events were passed, 0 when all are.

    A line is below cost when its net is less than the till's cost, or than what its lot costs on average now.
    """
    after = store.locked_position(tx)
    until = min(store.last_event(tx), after + SCAN_EVENTS_MAX)
    if until <= after:
        return 0
    store.add_below_cost(tx, after, until)
    return until - after


def acknowledge(tx: Tx, line_id: UUID, reason: str) -> None:
    """Say why a line was sold below cost. Raises AlertNotFound, ForeignBranch, AlertAcknowledged, SellerAcknowledges."""
    row = store.locked_alert(tx, line_id)
    if row is None:
        raise AlertNotFound("no such alert")
    tx.actor.require_branch(row.branch_id)
    if row.acknowledged_by is not None:
        raise AlertAcknowledged("this alert is acknowledged")
    if row.sold_by == tx.actor.id:
        raise SellerAcknowledges("who sold below cost does not acknowledge it")
    store.acknowledge_alert(tx, line_id, reason)
    audit.record(tx, "below_cost.acknowledge", str(line_id), after=reason)
