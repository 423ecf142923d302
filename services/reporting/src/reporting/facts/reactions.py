"""The consumer's handler: events become facts, set-based, in any order, each exactly once.

It holds the facts shared until its transaction ends; closing a month and swapping in a rebuild hold them exclusively, so
that neither ever misses a fact that is about to be committed.
Source: P2, architecture decision 5
"""

from collections.abc import Sequence

from reporting.facts.store.held import hold_shared
from reporting.facts.store.projections import rows_of, write_rows
from reporting.facts.tables import SCHEMA
from shared.clock import month_of
from shared.events import Envelope
from shared.partitions import see_months
from shared.transaction import Tx


def handle(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Store the facts of `envelopes`, none of which was stored before. Raises EventMalformed, UnknownType."""
    rows = rows_of(envelopes)
    cursor = tx.conn.connection.driver_connection.cursor()  # type: ignore[union-attr]
    hold_shared(cursor)
    see_months(tx.conn, sorted({month_of(envelope.day) for envelope in envelopes}))
    tx.meanwhile()
    write_rows(cursor, SCHEMA, rows)
