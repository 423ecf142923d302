"""The record of each arrival in quarantine."""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, Uuid

from returns.kernel.metadata import metadata
from shared.tables import INSTANT

return_receipts = Table(
    "return_receipts",
    metadata,
    Column("notice_id", Uuid, ForeignKey("return_notices.id"), primary_key=True),
    Column("receiver", Text, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("quarantine_location", Text, nullable=False),
    Column("carrier", Text),
    Column("vehicle", Text),
    Column("dispatch_place", Text),
    Column("dispatched_at", INSTANT),
    Column("arrival_decicelsius", Integer),
)
