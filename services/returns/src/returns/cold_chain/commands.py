"""Examine the temperature evidence of a line, and keep it."""

from datetime import datetime
from uuid import UUID

from returns.cold_chain import store
from returns.cold_chain.rules import Evidence, Fault, check
from shared.clock import business_date
from shared.transaction import Tx


def examine(
    tx: Tx, line_id: UUID, evidence: Evidence | None, *, temp_class: str, sold_at: datetime
) -> Fault | None:
    """What is wrong with the evidence of goods that arrive now, or None; what was given is kept either way."""
    fault = check(
        evidence,
        temp_class=temp_class,
        sold_at=sold_at,
        received_at=tx.now,
        received_on=business_date(tx.now),
    )
    if evidence:
        store.add_evidence(tx, line_id, evidence, fault)
    return fault
