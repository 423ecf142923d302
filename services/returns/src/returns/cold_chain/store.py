"""The statements that change evidence; all within the caller's transaction."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from returns.cold_chain.tables import cold_chain_evidence
from shared.transaction import Tx


def add_evidence(tx: Tx, line_id: UUID, evidence: Mapping[str, Any], fault: str | None) -> None:
    tx.conn.execute(
        insert(cold_chain_evidence).values(
            line_id=line_id, evidence=dict(evidence), fault=fault, checked_at=tx.now
        )
    )
