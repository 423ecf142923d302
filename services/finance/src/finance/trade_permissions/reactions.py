"""Keep what customers say about whom we may sell to."""

from collections.abc import Sequence

import msgspec

from finance.trade_permissions import store
from finance.trade_permissions.model import PermissionChanged
from shared.consumer import SetReaction, in_sets
from shared.events import Envelope
from shared.refilling import Projection
from shared.transaction import Tx


def on_changed(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Keep all that was said, from the day on which it was said, and the newest of each customer."""
    rows = []
    for envelope in envelopes:
        event = msgspec.convert(envelope.data, PermissionChanged)
        fields = {**msgspec.structs.asdict(event), "version": event.permission_version}
        rows.append({**fields, "from_day": envelope.day})
    store.keep(tx.conn, rows)


SETS: dict[str, SetReaction] = {"customers.permission.changed.v1": on_changed}
handle = in_sets(SETS)
COPIES = {
    "customers": Projection(tables=["trade_permission_versions", "trade_permissions"], reactions=SETS),
}
"""Made anew when the source has lost the end of its log."""
