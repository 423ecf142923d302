"""Customers.

Everything personal is in `personal`, sealed under the subject's key; the rest may be read by anyone with access to
the database without learning who somebody is.
"""

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from customers.kernel.customer import KINDS, STATUSES
from customers.kernel.metadata import metadata
from shared.tables import INSTANT, declare, one_of

customers = Table(
    "customers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", Text),
    Column("kind", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("suspended_for", Text),
    Column("source_channel", Text, nullable=False),
    Column("owner_id", Text),
    Column("class", Text, nullable=False, server_default="ordinary"),
    Column("grade", Text, nullable=False, server_default="C"),
    Column("risk", Text, nullable=False, server_default="low"),
    Column("region", Text),
    Column("legal_name", Text),
    Column("uscc", Text),
    Column("profile", JSONB),
    Column("consent_refs", ARRAY(Text), nullable=False, server_default="{}"),
    Column("personal", LargeBinary),
    Column("phone_index", LargeBinary),
    Column("content_mac", LargeBinary),
    Column("last_verified_on", Date),
    Column("completeness_bp", Integer, nullable=False),
    Column("registered_on", Date, nullable=False),
    Column("registered_by", Text, nullable=False),
    Column("registered_at", INSTANT, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    one_of("kind", KINDS),
    one_of("status", STATUSES),
    one_of("class", ("key", "ordinary", "potential")),
    one_of("grade", ("A", "B", "C")),
    one_of("risk", ("low", "medium", "high")),
    CheckConstraint("completeness_bp between 0 and 10000", name="completeness"),
    CheckConstraint("(kind = 'patient') = (uscc is null)", name="institutions_have_uscc"),
    Index("customers_code", "code", unique=True, postgresql_where=text("code is not null")),
    Index("customers_uscc", "uscc", unique=True, postgresql_where=text("uscc is not null")),
    Index("customers_phone_index", "phone_index", postgresql_where=text("phone_index is not null")),
    Index("customers_branch", "branch_id", "id"),
)

declare(metadata, changes=("customers",))
