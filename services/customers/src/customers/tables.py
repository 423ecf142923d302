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
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from customers.domain.customer import KINDS, STATUSES
from customers.domain.licence import LICENCE_STATES
from shared.database import new_metadata
from shared.rations import rations_table
from shared.tables import INSTANT, declare, mechanism_tables

metadata = new_metadata()
mechanism_tables(metadata)
rations_table(metadata)


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

credits_ = Table(
    "credits",
    metadata,
    Column("credit_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customers.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("base_version", Integer, nullable=False),
    Column("version", Integer),
    Column("limit_fen", BigInteger, nullable=False),
    Column("overdue_tolerance_fen", BigInteger, nullable=False),
    Column("on_hold", Boolean, nullable=False),
    Column("valid_until", Date),
    Column("reason", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("effective_at", INSTANT),
    Column("subject_hash", Text, nullable=False),
    _one_of("state", ("proposed", "effective", "rejected", "superseded")),
    CheckConstraint("limit_fen >= 0 and overdue_tolerance_fen >= 0", name="amounts"),
    CheckConstraint("(state = 'effective') = (version is not null)", name="effective"),
    UniqueConstraint("customer_id", "version"),
    Index("credits_customer", "customer_id", "credit_id"),
    Index("credits_proposed", "customer_id", unique=True, postgresql_where=text("state = 'proposed'")),
)
"""The credit archive: what was proposed for a customer, and as numbered versions what took effect."""

credit_decisions = Table(
    "credit_decisions",
    metadata,
    Column("credit_id", Uuid, ForeignKey("credits.credit_id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text),
    Column("at", INSTANT, nullable=False),
    Column("subject_hash", Text, nullable=False),
    UniqueConstraint("credit_id", "person"),
)

offers = Table(
    "offers",
    metadata,
    Column("offer_id", Uuid, primary_key=True),
    Column("plan_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("benefit", Text, nullable=False),
    Column("terms", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", INSTANT, nullable=False),
    Column("drawing_id", Uuid),
    Column("refusal", Text),
    Column("used_fen", BigInteger),
    Column("subject_hash", Text, nullable=False),
    _one_of("state", ("asking", "funded", "refused", "published", "rejected", "withdrawn", "ended")),
    CheckConstraint("(state in ('asking', 'refused')) = (drawing_id is null)", name="funded"),
    CheckConstraint("(state = 'refused') = (refusal is not null)", name="refused"),
    CheckConstraint("(state in ('rejected', 'withdrawn', 'ended')) = (used_fen is not null)", name="over"),
    CheckConstraint("cost_fen > 0 and used_fen between 0 and cost_fen", name="cost"),
    CheckConstraint("first_day <= last_day", name="days"),
    Index("offers_branch", "branch_id", "offer_id"),
)
"""Offers to patients. Without a drawing on a plan of finance none is published."""

offer_decisions = Table(
    "offer_decisions",
    metadata,
    Column("offer_id", Uuid, ForeignKey("offers.offer_id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text),
    Column("at", INSTANT, nullable=False),
    Column("subject_hash", Text, nullable=False),
    UniqueConstraint("offer_id", "person"),
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
    Column("expires_on", Date),
    Column("look_on", Date),
    Index("point_sales_look", "look_on", postgresql_where=text("look_on is not null")),
)
"""`expires_on` is settled when the sale is heard; on `look_on` somebody must see what of its points expires."""

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

point_accounts = Table(
    "point_accounts",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("version", Integer, nullable=False, server_default="0"),
)
"""The row under whose lock points are redeemed and expire; `version` counts the facts told of the account."""

point_redemptions = Table(
    "point_redemptions",
    metadata,
    Column("redemption_id", Uuid, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("receipt_number", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("value_fen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("redeemed_on", Date, nullable=False),
    Column("redeemed_at", INSTANT, nullable=False),
    Column("redeemed_by", Text, nullable=False),
    Column("restore_at", INSTANT, nullable=False),
    Column("restored_on", Date),
    Column("restored_at", INSTANT),
    Column("restored_cause", Text),
    Column("sale_id", Text),
    Column("used_on", Date),
    _one_of("state", ("open", "used", "restored")),
    CheckConstraint("points > 0 and value_fen > 0", name="points"),
    CheckConstraint("(sale_id is not null) = (state = 'used')", name="used"),
    CheckConstraint("state <> 'restored' or restored_at is not null", name="restored"),
    Index(
        "point_redemptions_open",
        "branch_id",
        "receipt_number",
        unique=True,
        postgresql_where=text("state = 'open'"),
    ),
    Index("point_redemptions_receipt", "branch_id", "receipt_number"),
    Index("point_redemptions_customer", "customer_id"),
    Index("point_redemptions_due", "restore_at", postgresql_where=text("state = 'open'")),
)
"""Used wins over restored: finance is who says so, and it may have used one before it heard that we gave it back."""

point_redemption_lots = Table(
    "point_redemption_lots",
    metadata,
    Column("redemption_id", Uuid, primary_key=True),
    Column("no", Integer, primary_key=True),
    Column("sale_id", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("given_back", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("points > 0 and given_back between 0 and points", name="points"),
    Index("point_redemption_lots_sale", "sale_id"),
)

point_restorations = Table(
    "point_restorations",
    metadata,
    Column("refund_id", Text, primary_key=True),
    Column("redemption_id", Uuid, primary_key=True),
    Column("return_id", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("source_seq", BigInteger, nullable=False),
    CheckConstraint("points >= 0", name="points"),
    Index("point_restorations_redemption", "redemption_id"),
)
"""What finance gave back of a redemption when goods paid with it came back."""

point_expiries = Table(
    "point_expiries",
    metadata,
    Column("expiry_id", Uuid, primary_key=True),
    Column("sale_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("expired_on", Date, nullable=False),
    CheckConstraint("points > 0", name="points"),
    Index("point_expiries_sale", "sale_id"),
    Index("point_expiries_customer", "customer_id"),
)

point_checks = Table(
    "point_checks",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("customer_id", Text, nullable=False),
)
"""Accounts to which points came back that may have expired meanwhile. Without a key, so that nobody waits to write."""

declare(
    metadata,
    changes=(
        "subject_keys",
        "customers",
        "contacts",
        "licences",
        "trade_permissions",
        "credits",
        "offers",
        "customer_changes",
        "point_sales",
        "point_accounts",
        "point_redemptions",
        "point_redemption_lots",
    ),
    removes={"point_checks": "an account that was looked at"},
    working={"point_checks": "a queue of customers to look at"},
)
