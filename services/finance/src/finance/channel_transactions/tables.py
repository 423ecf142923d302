"""Which receipt a channel's id paid."""

from sqlalchemy import Column, Date, Table, Text, Uuid

from finance.kernel.metadata import metadata
from shared.tables import declare

channel_transactions = Table(
    "channel_transactions",
    metadata,
    Column("tender", Text, primary_key=True),
    Column("channel_transaction_id", Text, primary_key=True),
    Column("branch_id", Text, primary_key=True),
    Column("sale_id", Uuid, nullable=False),
    Column("booked_on", Date, nullable=False),
)
"""An id pays one receipt; it leads to the sale and its partition."""

declare(metadata, proved={"channel_transactions": "part of their sale"})
