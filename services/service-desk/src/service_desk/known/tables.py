"""What this service knows of others, from their events alone; each may lag behind its source."""

from sqlalchemy import (
    Column,
    Date,
    Integer,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from service_desk.kernel.metadata import metadata
from shared.tables import declare

# What this service knows of others, from their events alone; each may lag behind its source.
known_sales = Table(
    "known_sales",
    metadata,
    Column("sale_id", Text, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("business_date", Date, nullable=False),
    Column("lots", JSONB, nullable=False),
    Column("version", Integer, nullable=False),
)
known_customers = Table(
    "known_customers",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
return_outcomes = Table(
    "return_outcomes",
    metadata,
    Column("return_id", Text, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("cause", Text),
    Column("decided_on", Date, nullable=False),
    Column("version", Integer, nullable=False),
)

declare(
    metadata,
    changes=("known_sales", "known_customers", "return_outcomes"),
    removes=dict.fromkeys(
        ("known_sales", "known_customers", "return_outcomes"),
        "filled anew when a source has lost the end of its log",
    ),
)
