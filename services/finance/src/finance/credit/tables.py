"""What customers may owe, and what orders hold of it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Table,
    Uuid,
)

from finance.kernel.metadata import metadata
from shared.tables import declare

credit_limits = Table(
    "credit_limits",
    metadata,
    Column("customer_id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("limit_fen", BigInteger, nullable=False),
    Column("overdue_tolerance_fen", BigInteger, nullable=False),
    Column("on_hold", Boolean, nullable=False),
    Column("valid_until", Date),
)
"""What customers last granted; an older version never overwrites a newer one."""

exposures = Table("exposures", metadata, Column("customer_id", Uuid, primary_key=True))
"""One row per customer who ever bought or ordered on credit: the row that parallel ones wait for."""

credit_reservations = Table(
    "credit_reservations",
    metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("fen", BigInteger, nullable=False),
    CheckConstraint("fen > 0", name="fen"),
    Index("credit_reservations_customer", "customer_id"),
)

declare(
    metadata,
    changes=("credit_limits", "exposures", "credit_reservations"),
    removes={
        "credit_reservations": "an order that ended holds nothing",
        "credit_limits": "filled anew when a source has lost the end of its log",
    },
)
