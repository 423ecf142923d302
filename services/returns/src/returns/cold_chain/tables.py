"""The temperature evidence of a returned line, and what was found wrong with it."""

from sqlalchemy import Column, ForeignKey, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from returns.kernel.metadata import metadata
from shared.tables import INSTANT

cold_chain_evidence = Table(
    "cold_chain_evidence",
    metadata,
    Column("line_id", Uuid, ForeignKey("return_lines.id"), primary_key=True),
    Column("evidence", JSONB, nullable=False),
    Column("fault", Text),
    Column("checked_at", INSTANT, nullable=False),
)
