"""How much of each sold line and lot is spoken for."""

from sqlalchemy import CheckConstraint, Column, Integer, Table, Text

from returns.kernel.metadata import metadata
from shared.tables import declare

return_allotments = Table(
    "return_allotments",
    metadata,
    Column("sale_id", Text, primary_key=True),
    Column("sale_line_id", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("sold", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("settled", Integer, nullable=False),
    CheckConstraint("0 <= settled and settled <= reserved and reserved <= sold", name="within_sold"),
)

declare(metadata, changes=("return_allotments",))
