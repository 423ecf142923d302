"""The statement that adds a sale to its contract."""

from uuid import UUID

from sqlalchemy import insert

from finance.contract_sales.tables import contract_sales
from shared.transaction import Tx


def add(tx: Tx, contract_id: UUID, sale_id: UUID) -> None:
    """The sale shipped goods of the contract and of nothing else."""
    tx.conn.execute(insert(contract_sales).values(sale_id=sale_id, contract_id=contract_id))
