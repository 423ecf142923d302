"""The schema of the customer master, its licences, and the points ledger.

Everything personal is in `personal` columns, sealed under the subject's key; the rest may be read by anyone with
access to the database without learning who somebody is.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from customers.domain.customer import KINDS, STATUSES
from customers.domain.licence import LICENCE_STATES
from shared.database import new_metadata
from shared.tables import INSTANT, mechanism_tables

metadata = new_metadata()
mechanism_tables(metadata)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


subject_keys = Table(
    "subject_keys",
    metadata,
    Column("subject_id", Uuid, primary_key=True),
    Column("wrapped", LargeBinary),
    Column("master_key_id", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("destroyed_at", INSTANT),
    Column("destroyed_by", Text),
    CheckConstraint("(wrapped is null) = (destroyed_at is not null)", name="destroyed"),
)

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
    _one_of("kind", KINDS),
    _one_of("status", STATUSES),
    _one_of("class", ("key", "ordinary", "potential")),
    _one_of("grade", ("A", "B", "C")),
    _one_of("risk", ("low", "medium", "high")),
    CheckConstraint("completeness_bp between 0 and 10000", name="completeness"),
    CheckConstraint("(kind = 'patient') = (uscc is null)", name="institutions_have_uscc"),
    Index("customers_code", "code", unique=True, postgresql_where=text("code is not null")),
    Index("customers_uscc", "uscc", unique=True, postgresql_where=text("uscc is not null")),
    Index("customers_phone_index", "phone_index", postgresql_where=text("phone_index is not null")),
    Index("customers_branch", "branch_id", "id"),
)

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
    _one_of("state", LICENCE_STATES),
    CheckConstraint("valid_until >= valid_from", name="validity"),
    CheckConstraint("verified_by <> submitted_by", name="four_eyes"),
    Index("licences_customer", "customer_id"),
)

approval_decisions = Table(
    "approval_decisions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customers.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text),
    Column("at", INSTANT, nullable=False),
    Column("subject_hash", Text, nullable=False),
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

customer_changes = Table(
    "customer_changes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customers.id"), nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("fields", ARRAY(Text), nullable=False),
    Column("personal", LargeBinary),
    Index("customer_changes_customer", "customer_id", "id"),
)

# The points ledger holds facts, each written once: what a sale line earned, and what was refunded of it. The
# points a refund takes back are computed from both when read, so the order of arrival leaves no trace.
point_sales = Table(
    "point_sales",
    metadata,
    Column("sale_id", Text, primary_key=True),
    Column("customer_id", Text),
    Column("branch_id", Text),
    Column("version", Integer, nullable=False),
)

point_earnings = Table(
    "point_earnings",
    metadata,
    Column("sale_id", Text, primary_key=True),
    Column("sale_line_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("source_seq", BigInteger, nullable=False),
    Column("cause_event_id", Uuid, nullable=False),
    Column("gross_fen", BigInteger, nullable=False),
    Column("basis_fen", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    CheckConstraint("points > 0 and basis_fen between 0 and gross_fen and gross_fen > 0", name="earning"),
    Index("point_earnings_cause", "cause_event_id", "sale_line_id", unique=True),
    Index("point_earnings_customer", "customer_id", "source_seq"),
)

point_refunds = Table(
    "point_refunds",
    metadata,
    Column("refund_id", Text, primary_key=True),
    Column("sale_line_id", Text, primary_key=True),
    Column("sale_id", Text, nullable=False),
    Column("return_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("source_seq", BigInteger, nullable=False),
    Column("cause_event_id", Uuid, nullable=False),
    Column("refunded_fen", BigInteger, nullable=False),
    CheckConstraint("refunded_fen >= 0", name="refund"),
    Index("point_refunds_cause", "cause_event_id", "sale_line_id", unique=True),
    Index("point_refunds_sale", "sale_id", "sale_line_id"),
)
