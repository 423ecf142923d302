"""Keep what customers grant."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from finance.credit import store
from finance.credit.model import CreditChanged
from shared.consumer import SetReaction, in_sets
from shared.events import Envelope
from shared.refilling import Projection
from shared.transaction import Tx


def on_credit_changed(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Keep the newest credit of each customer. Rows are written in key order: competing consumers never deadlock."""
    newest: dict[UUID, CreditChanged] = {}
    for envelope in envelopes:
        said = msgspec.convert(envelope.data, CreditChanged)
        kept = newest.setdefault(said.customer_id, said)
        if kept.credit_version < said.credit_version:
            newest[said.customer_id] = said
    store.keep(tx.conn, list(newest.values()))


SETS: dict[str, SetReaction] = {"customers.credit.changed.v1": on_credit_changed}
handle = in_sets(SETS)
COPIES = {"customers": Projection(tables=["credit_limits"], reactions=SETS)}
"""Made anew when the source has lost the end of its log."""
