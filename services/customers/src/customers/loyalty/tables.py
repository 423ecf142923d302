"""The points ledger."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

from customers.kernel.metadata import metadata
from shared.tables import INSTANT, declare, one_of

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
    Column("cause_event_id", Uuid, primary_key=True),
    Column("sale_line_id", Text, primary_key=True),
    Column("refund_id", Text, nullable=False),
    Column("sale_id", Text, nullable=False),
    Column("return_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("source_seq", BigInteger, nullable=False),
    Column("refunded_fen", BigInteger, nullable=False),
    CheckConstraint("refunded_fen >= 0", name="refund"),
    Index("point_refunds_refund", "refund_id"),
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
    Column("used_event_id", Uuid),
    one_of("state", ("open", "used", "restored")),
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
    Index("point_redemptions_use", "used_event_id", postgresql_where=text("used_event_id is not null")),
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
    Column("cause_event_id", Uuid, primary_key=True),
    Column("redemption_id", Uuid, primary_key=True),
    Column("refund_id", Text, nullable=False),
    Column("return_id", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("source_seq", BigInteger, nullable=False),
    CheckConstraint("points >= 0", name="points"),
    Index("point_restorations_redemption", "redemption_id"),
    Index("point_restorations_refund", "refund_id"),
)
"""What finance gave back of a redemption when goods paid with it came back."""

point_corrections = Table(
    "point_corrections",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("source_seq", BigInteger, nullable=False),
    Column("sale_id", Text, nullable=False),
    Column("return_id", Text),
    Column("redemption_id", Uuid),
    Column("customer_id", Text),
    Column("taken", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("lost_day", Date, nullable=False),
    Column("corrected_on", Date, nullable=False),
    Column("corrected_at", INSTANT, nullable=False),
    Column("corrected_by", Text, nullable=False),
    one_of("kind", ("sale", "refund", "use")),
    CheckConstraint("taken >= 0", name="taken"),
    Index("point_corrections_sale", "sale_id"),
    Index("point_corrections_customer", "customer_id"),
)
"""What makes good the effects of an event of finance whose log lost it, and whose fact counts no more.

`event_id` is the lost event's (see `lost_events`), `points` what the customer gets back (negative: gives back) on the
day of the correction; `taken` is what the lost refund or use took on its own day.
"""

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
        "point_sales",
        "point_accounts",
        "point_redemptions",
        "point_redemption_lots",
    ),
    removes={"point_checks": "an account that was looked at"},
    working={"point_checks": "a queue of customers to look at"},
)
