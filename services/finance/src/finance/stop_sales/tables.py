"""Lots that are off sale."""

from sqlalchemy import (
    Column,
    Index,
    Table,
    Text,
    Uuid,
    text,
)

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

stopped_lots = Table(
    "stopped_lots",
    metadata,
    Column("stop_sale_id", Uuid, primary_key=True),
    Column("product_id", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("ordered_at", INSTANT),
    Column("lifted_at", INSTANT),
    Index("stopped_lots_now", "product_id", "lot", postgresql_where=text("lifted_at is null")),
)
"""`lot` in canonical spelling. `ordered_at` is null while only the lifting was heard."""

declare(
    metadata,
    changes=("stopped_lots",),
    removes={"stopped_lots": "filled anew when a source has lost the end of its log"},
)
