"""What is read of the evidence of lines."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, select

from returns.cold_chain.tables import cold_chain_evidence
from shared.transaction import Tx


def evidence_of(tx: Tx, line_ids: Sequence[UUID]) -> dict[UUID, RowMapping]:
    """The evidence of each of these lines that has any."""
    found = select(cold_chain_evidence).where(cold_chain_evidence.c.line_id.in_(line_ids))
    return {row["line_id"]: row for row in tx.conn.execute(found).mappings()}
