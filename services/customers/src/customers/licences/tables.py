"""Licences, the decisions on applicants, and the permission that follows."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

from customers.kernel.metadata import metadata
from customers.licences.rules import LICENCE_STATES
from shared.approvals import decision_columns
from shared.clock import new_id
from shared.tables import INSTANT, declare, one_of

licences = Table(
    "licences",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customers.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("scope", ARRAY(Text), nullable=False),
    Column("issued_on", Date),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    Column("file_sha256", Text),
    Column("state", Text, nullable=False),
    Column("submitted_by", Text, nullable=False),
    Column("submitted_at", INSTANT, nullable=False),
    Column("verified_by", Text),
    Column("verified_at", INSTANT),
    Column("rejection_reason", Text),
    Column("version", Integer, nullable=False, server_default="0"),
    one_of("state", LICENCE_STATES),
    CheckConstraint("valid_until >= valid_from", name="validity"),
    CheckConstraint("verified_by <> submitted_by", name="four_eyes"),
    Index("licences_customer", "customer_id"),
    Index("licences_submitted", "id", postgresql_where=text("state = 'submitted'")),
)

approval_decisions = Table(
    "approval_decisions",
    metadata,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("customer_id", Uuid, ForeignKey("customers.id"), nullable=False),
    *decision_columns(role_is_key=False),
    Index("approval_decisions_customer", "customer_id"),
)

trade_permissions = Table(
    "trade_permissions",
    metadata,
    Column("customer_id", Uuid, ForeignKey("customers.id"), primary_key=True),
    Column("permission_version", Integer, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("categories", ARRAY(Text), nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("valid_until", Date),
    Column("changes_on", Date),
    Column("computed_at", INSTANT, nullable=False),
    Index("trade_permissions_due", "changes_on", postgresql_where=text("changes_on is not null")),
)

declare(metadata, changes=("licences", "trade_permissions"))
