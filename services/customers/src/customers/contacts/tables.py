"""People to talk to at institutions; what is personal is sealed under a key of each."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

from customers.kernel.metadata import metadata
from shared.tables import declare

contacts = Table(
    "contacts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customers.id"), nullable=False),
    Column("hcp", Boolean, nullable=False),
    Column("consent_refs", ARRAY(Text), nullable=False, server_default="{}"),
    Column("personal", LargeBinary),
    Column("verified_on", Date),
    Index("contacts_customer", "customer_id"),
)

declare(metadata, changes=("contacts",))
