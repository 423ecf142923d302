"""Which sale shipped goods of which contract."""

from sqlalchemy import Column, Index, Table, Uuid

from finance.kernel.metadata import metadata

contract_sales = Table(
    "contract_sales",
    metadata,
    Column("sale_id", Uuid, primary_key=True),
    Column("contract_id", Uuid, nullable=False),
    Index("contract_sales_contract", "contract_id"),
)
"""Append-only: one row for each shipment of an order that names a contract."""
