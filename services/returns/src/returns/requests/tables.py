"""The last number given per branch and year."""

from sqlalchemy import Column, Integer, SmallInteger, Table, Text

from returns.kernel.metadata import metadata
from shared.tables import declare

return_numbers = Table(
    "return_numbers",
    metadata,
    Column("branch_id", Text, primary_key=True),
    Column("year", SmallInteger, primary_key=True),
    Column("last", Integer, nullable=False),
)

declare(metadata, changes=("return_numbers",))
