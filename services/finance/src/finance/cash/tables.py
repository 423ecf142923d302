"""The tables of cash. What sales bring is not copied here: a session's takings are read from the sales themselves."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

cash_drawers = Table(
    "cash_drawers",
    metadata,
    Column("branch_id", Text, primary_key=True),
    Column("drawer", Text, primary_key=True),
    Column("till", Text, nullable=False),
    Column("registered_by", Text, nullable=False),
    Column("registered_at", INSTANT, nullable=False),
    UniqueConstraint("branch_id", "till"),
)
"""`till` is the token subject that posts the drawer's sales (`sales.posted_by`)."""

cash_sessions = Table(
    "cash_sessions",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("drawer", Text, nullable=False),
    Column("till", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("float_fen", BigInteger, nullable=False),
    Column("from_safe_fen", BigInteger, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("count_began_by", Text),
    Column("count_began_at", INSTANT),
    Column("denominations", JSONB),
    Column("cash_sales_fen", BigInteger),
    Column("movements_fen", BigInteger),
    Column("expected_fen", BigInteger),
    Column("counted_fen", BigInteger),
    Column("variance_fen", BigInteger),
    Column("carried_fen", BigInteger),
    Column("closed_by", Text),
    Column("closed_at", INSTANT),
    CheckConstraint("state in ('open', 'counting', 'closed', 'resolved')", name="state"),
    CheckConstraint("float_fen >= 0", name="float"),
    CheckConstraint("carried_fen between 0 and counted_fen", name="carried"),
    CheckConstraint("expected_fen = float_fen + cash_sales_fen + movements_fen", name="expected"),
    CheckConstraint("variance_fen = counted_fen - expected_fen", name="variance"),
    CheckConstraint("(closed_at is null) = (variance_fen is null)", name="counted"),
    Index(
        "cash_sessions_one_open",
        "branch_id",
        "drawer",
        unique=True,
        postgresql_where=text("state in ('open', 'counting')"),
    ),
    Index("cash_sessions_drawer", "branch_id", "drawer", "closed_at"),
)
"""`from_safe_fen` is what the safe gave for the float (negative: took back); the rest was left in the drawer before."""

cash_movements = Table(
    "cash_movements",
    metadata,
    Column("movement_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("session_id", Uuid),
    Column("kind", Text, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("reason", Text),
    Column("reference", Text),
    Column("note", Text),
    Column("refund_id", Uuid, unique=True),
    Column("made_by", Text, nullable=False),
    Column("made_at", INSTANT, nullable=False),
    CheckConstraint("fen <> 0", name="fen"),
    CheckConstraint(
        "kind in ('pay_in', 'payout', 'bank_drop', 'bank_withdrawal', 'safe_drop', 'top_up', 'refund', 'variance')",
        name="kind",
    ),
    Index("cash_movements_session", "session_id"),
    Index("cash_movements_branch", "branch_id", "made_at"),
)
"""`fen` is signed: what the drawer, or the safe where `session_id` is null, has more by it."""

cash_counts = Table(
    "cash_counts",
    metadata,
    Column("count_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("session_id", Uuid),
    Column("denominations", JSONB, nullable=False),
    Column("expected_fen", BigInteger, nullable=False),
    Column("counted_fen", BigInteger, nullable=False),
    Column("variance_fen", BigInteger, nullable=False),
    Column("counted_by", Text, nullable=False),
    Column("counted_at", INSTANT, nullable=False),
    CheckConstraint("variance_fen = counted_fen - expected_fen", name="variance"),
    Index("cash_counts_branch", "branch_id", "count_id"),
)
"""Surprise counts of an open drawer, or of the safe where `session_id` is null."""

cash_variances = Table(
    "cash_variances",
    metadata,
    Column("variance_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("drawer", Text),
    Column("found_on", Date, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("involved", ARRAY(Text), nullable=False),
    Column("outcome", Text),
    Column("person", Text),
    Column("reason", Text),
    Column("resolved_by", Text),
    Column("resolved_role", Text),
    Column("resolved_at", INSTANT),
    CheckConstraint("fen <> 0", name="fen"),
    CheckConstraint("outcome in ('income', 'owed', 'person', 'expense')", name="outcome"),
    CheckConstraint("(outcome is null) = (resolved_at is null)", name="resolved"),
    Index("cash_variances_open", "branch_id", "variance_id", postgresql_where=text("outcome is null")),
)
"""A difference posted to 1901 until it is resolved; its id is that of the session or count that found it.

`involved` may not resolve it: whoever opened, counted or sold.
"""

declare(
    metadata,
    changes=("cash_sessions", "cash_variances"),
)
