"""The report of each inspection of a line."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from returns.kernel.metadata import metadata
from returns.kernel.vocabulary import Result
from shared.tables import INSTANT, one_of

inspection_reports = Table(
    "inspection_reports",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("line_id", Uuid, ForeignKey("return_lines.id"), nullable=False, index=True),
    Column("inspector", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("cases", Integer, nullable=False),
    Column("is_intact", Boolean, nullable=False),
    Column("has_anomaly", Boolean, nullable=False),
    Column("cases_required", Integer, nullable=False),
    Column("packs_per_case_required", Integer),
    Column("cases_sampled", Integer, nullable=False),
    Column("checks", JSONB, nullable=False),
    Column("result", Text, nullable=False),
    Column("accepted_quantity", Integer, nullable=False),
    one_of("result", Result),
)
