"""Price rules, sales strategies and grades: proposed by one person, decided on by another, never changed."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

from finance.kernel.metadata import metadata
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare


def _decided() -> tuple[Column[object] | CheckConstraint, ...]:
    """What every rule has that one person proposes and another decides on."""
    return (
        Column("state", Text, nullable=False),
        Column("subject_hash", Text, nullable=False),
        Column("proposed_by", Text, nullable=False),
        Column("proposed_at", INSTANT, nullable=False),
        Column("decided_by", Text),
        Column("decided_at", INSTANT),
        Column("decided_reason", Text),
        CheckConstraint("state in ('proposed', 'approved', 'rejected')", name="state"),
        CheckConstraint("(state = 'proposed') = (decided_by is null)", name="decided"),
        CheckConstraint("decided_by <> proposed_by", name="two_persons"),
    )


price_rules = Table(
    "price_rules",
    metadata,
    Column("rule_id", Uuid, primary_key=True),
    Column("product_id", Text, nullable=False),
    Column("customer_kind", Text, nullable=False),
    Column("grade", Text, nullable=False),
    Column("list_fen", BigInteger, nullable=False),
    Column("floor_fen", BigInteger, nullable=False),
    Column("effective_from", Date, nullable=False),
    *_decided(),
    CheckConstraint("floor_fen > 0 and list_fen >= floor_fen", name="prices"),
    CheckConstraint("grade in ('', 'A', 'B', 'C')", name="grade"),
    Index(
        "price_rules_in_force",
        "product_id",
        "customer_kind",
        "grade",
        "effective_from",
        postgresql_where=text("state = 'approved'"),
    ),
)
"""List and floor price of one unit with tax; grade '' is any. A rule is superseded by a newer one, never changed."""


strategies = Table(
    "sales_strategies",
    metadata,
    Column("strategy_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("branch_id", Text),
    Column("products", ARRAY(Text), nullable=False),
    Column("customer_kinds", ARRAY(Text), nullable=False),
    Column("min_quantity", Integer, nullable=False),
    Column("discount_bp", Integer, nullable=False),
    Column("service", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("plan_id", Uuid),
    *_decided(),
    CheckConstraint("kind in ('promotion', 'price_concession', 'service_upgrade')", name="kind"),
    CheckConstraint("(kind = 'service_upgrade') = (discount_bp = 0)", name="gives"),
    CheckConstraint("discount_bp between 0 and 9999 and min_quantity > 0", name="bounds"),
    CheckConstraint("first_day <= last_day", name="days"),
    Index("sales_strategies_days", "last_day", postgresql_where=text("state = 'approved'")),
)
"""Products and kinds left empty mean all; without a branch it holds in every one."""


price_grades = Table(
    "price_grades",
    metadata,
    Column("assignment_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("grade", Text, nullable=False),
    Column("effective_from", Date, nullable=False),
    *_decided(),
    CheckConstraint("grade in ('', 'A', 'B', 'C')", name="grade"),
    Index(
        "price_grades_customer", "customer_id", "effective_from", postgresql_where=text("state = 'approved'")
    ),
)
"""Which prices a customer gets; grade '' takes a grade away."""

price_decisions = Table(
    "price_decisions", metadata, Column("rule_id", Uuid, primary_key=True), *decision_columns()
)
"""What was decided on rules, strategies and grades, each by its id."""

declare(metadata, changes=("price_rules", "sales_strategies", "price_grades"))
