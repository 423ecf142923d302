"""The statements that write receipts; within the caller's transaction."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from returns.receiving.tables import return_receipts
from shared.transaction import Tx


def add_receipt(tx: Tx, notice_id: UUID, receipt: Mapping[str, Any]) -> None:
    tx.conn.execute(
        insert(return_receipts).values(
            notice_id=notice_id, receiver=tx.actor.id, received_at=tx.now, **receipt
        )
    )
