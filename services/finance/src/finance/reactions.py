"""What other services' facts make finance do. Any order and any repetition leave the same books.

Source: F22, model 3.2 (Refund)
"""

import msgspec
from sqlalchemy import text

from finance import exposure, points, stops
from finance.refunds import verification
from finance.subscriptions import PermissionChanged
from shared.consumer import Reaction
from shared.events import Envelope
from shared.transaction import Tx


def on_permission_changed(tx: Tx, envelope: Envelope) -> None:
    """Keep the newest permission of each customer."""
    event = msgspec.convert(envelope.data, PermissionChanged)
    tx.conn.execute(
        text(
            "insert into trade_permissions (customer_id, version, kind, allowed, categories, valid_until)"
            " values (:customer_id, :version, :kind, :allowed, :categories, :valid_until)"
            " on conflict (customer_id) do update set version = excluded.version, kind = excluded.kind,"
            " allowed = excluded.allowed, categories = excluded.categories, valid_until = excluded.valid_until"
            " where trade_permissions.version < excluded.version"
        ),
        {
            "customer_id": event.customer_id,
            "version": event.permission_version,
            "kind": event.kind,
            "allowed": event.allowed,
            "categories": event.categories,
            "valid_until": event.valid_until,
        },
    )


REACTIONS: dict[str, Reaction] = {
    "returns.return.settled.v1": verification.on_return_settled,
    "returns.return.received.v1": verification.on_goods_received,
    "customers.permission.changed.v1": on_permission_changed,
    "customers.credit.changed.v1": exposure.on_credit_changed,
    "returns.stop_sale.ordered.v1": stops.on_ordered,
    "returns.stop_sale.lifted.v1": stops.on_lifted,
    "customers.points.earned.v1": points.on_earned,
    "customers.points.taken_back.v1": points.on_taken_back,
    "customers.points.redeemed.v1": points.on_redeemed,
    "customers.points.restored.v1": points.on_restored,
    "customers.points.expired.v1": points.on_expired,
}
