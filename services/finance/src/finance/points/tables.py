"""The sub-ledger of points: earned, taken back, expired, redeemed, used, given back. It ties to contract liability."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, Table, Text, Uuid

from finance.kernel.metadata import metadata
from shared.tables import declare

points_earned = Table(
    "points_earned",
    metadata,
    Column("sale_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("fen_per_point", Integer, nullable=False),
    Column("earned_on", Date, nullable=False),
    CheckConstraint("points > 0 and fen_per_point >= 0", name="points"),
)
"""Points that customers told us they gave, at the value of the day they were earned."""


points_taken_back = Table(
    "points_taken_back",
    metadata,
    Column("sale_id", Uuid, primary_key=True),
    Column("return_id", Text, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("event_id", Uuid, primary_key=True),
    Column("points", BigInteger, nullable=False),
    Column("taken_on", Date, nullable=False),
    CheckConstraint("points >= 0", name="points"),
    Index("points_taken_back_event", "event_id"),
)
"""What refunds took back of a sale's points, by customers' events: one that was lost is told again as another. It is booked when both facts are here, in whichever order they came."""


points_expired = Table(
    "points_expired",
    metadata,
    Column("expiry_id", Uuid, primary_key=True),
    Column("sale_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("expired_on", Date, nullable=False),
    Column("event_id", Uuid),
    CheckConstraint("points > 0", name="points"),
    Index("points_expired_sale", "sale_id"),
    Index("points_expired_event", "event_id"),
)
"""What expired of a sale's points; it is booked when both facts are here, in whichever order they came."""


points_corrections = Table(
    "points_corrections",
    metadata,
    Column("lost_event_id", Uuid, primary_key=True),
    Column("sale_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("return_id", Text),
    Column("points", BigInteger, nullable=False),
    Column("corrected_on", Date, nullable=False),
    CheckConstraint("points <> 0", name="points"),
    Index("points_corrections_sale", "sale_id"),
)
"""What makes good an event that was lost: of ours, as customers tells it, or of customers, which tells it again."""


points_redemptions = Table(
    "points_redemptions",
    metadata,
    Column("redemption_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("receipt_number", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("value_fen", BigInteger, nullable=False),
    Column("redeemed_on", Date, nullable=False),
    Column("event_id", Uuid),
    Index("points_redemptions_event", "event_id"),
    CheckConstraint("points > 0 and value_fen > 0", name="points"),
)
"""Points that customers set aside for a receipt; nothing is booked until a sale uses them."""


points_redemption_lots = Table(
    "points_redemption_lots",
    metadata,
    Column("redemption_id", Uuid, primary_key=True),
    Column("no", Integer, primary_key=True),
    Column("sale_id", Uuid, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("given_back", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("points > 0 and given_back between 0 and points", name="points"),
    Index("points_redemption_lots_sale", "sale_id"),
)
"""The sales that earned them, the first consumed first, and what refunds gave back of each."""


points_restorations = Table(
    "points_restorations",
    metadata,
    Column("redemption_id", Uuid, primary_key=True),
    Column("cause", Text, nullable=False),
    Column("restored_on", Date, nullable=False),
)
"""Redemptions that customers gave back; one that a sale had used before stays used."""


points_uses = Table(
    "points_uses",
    metadata,
    Column("redemption_id", Uuid, primary_key=True),
    Column("sale_id", Uuid, nullable=False, unique=True),
    Column("used_on", Date, nullable=False),
)
"""The sale that a redemption paid; by this key two never share one."""


points_given_back = Table(
    "points_given_back",
    metadata,
    Column("refund_id", Uuid, primary_key=True),
    Column("redemption_id", Uuid, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    CheckConstraint("fen > 0 and points >= 0", name="fen"),
    Index("points_given_back_redemption", "redemption_id"),
)
"""What a refund gave back in points for the part of the sale that points had paid."""


declare(
    metadata,
    changes=("points_redemption_lots",),
    locks={"points_redemptions": "redemption_id", "points_uses": "redemption_id"},
)
