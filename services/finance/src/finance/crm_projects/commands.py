"""What customer relations cost and bring."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from finance.crm_projects.tables import crm_records
from finance.kernel.company import require_company
from shared import audit
from shared.clock import new_id
from shared.transaction import Tx


def record_crm(tx: Tx, body: Mapping[str, Any], month: date) -> UUID:
    """A cost or gain of a customer relations project. Raises CompanyNotCovered."""
    require_company(tx.actor)
    record_id = new_id()
    tx.conn.execute(
        insert(crm_records).values(
            record_id=record_id,
            project=body["project"],
            month=month,
            kind=body["kind"],
            fen=body["amount"],
            basis=body["basis"],
            recorded_by=tx.actor.id,
            recorded_at=tx.now,
        )
    )
    audit.record(tx, "crm.record", str(record_id), after=body)
    return record_id
