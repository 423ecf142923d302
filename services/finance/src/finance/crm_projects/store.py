"""The rows of what projects of customer relations cost and brought."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from finance.crm_projects.tables import crm_records
from shared.transaction import Tx


def add(tx: Tx, record_id: UUID, body: Mapping[str, Any], month: date) -> None:
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
