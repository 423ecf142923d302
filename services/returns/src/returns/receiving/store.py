"""The statements that write receipts; within the caller's transaction."""

from uuid import UUID

from msgspec.structs import asdict
from sqlalchemy import insert

from returns.receiving.model import Record
from returns.receiving.tables import return_receipts
from shared.transaction import Tx


def add_receipt(tx: Tx, notice_id: UUID, record: Record) -> None:
    tx.conn.execute(
        insert(return_receipts).values(
            notice_id=notice_id, receiver=tx.actor.id, received_at=tx.now, **asdict(record)
        )
    )
