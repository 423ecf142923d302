"""The directory of receipts."""

from sqlalchemy import Column, Date, LargeBinary, Table, Text, UniqueConstraint, Uuid

from finance.kernel.metadata import metadata
from shared.tables import declare

receipts = Table(
    "receipts",
    metadata,
    Column("branch_id", Text, primary_key=True),
    Column("receipt_number", Text, primary_key=True),
    Column("sale_id", Uuid, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    UniqueConstraint("sale_id"),
)
"""The directory of sales: a number is used once per branch, and an id leads to its partition."""

declare(metadata, proved={"receipts": "part of their sale"}, locks={"receipts": "booked_on"})
