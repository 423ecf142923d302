"""How strictly the catalogue is held, from which day on, and what contradicted it."""

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.metadata import metadata
from finance.product_checks.rules import Door, Mode
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare, one_of

product_check_settings = Table(
    "product_check_settings",
    metadata,
    Column("setting_id", Uuid, primary_key=True),
    Column("mode", Text, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", INSTANT, nullable=False),
    Column("no", Integer),
    one_of("mode", Mode),
    one_of("state", ("proposed", "approved", "rejected")),
    CheckConstraint("(state = 'approved') = (no is not null)", name="no"),
    Index(
        "product_check_settings_days",
        "effective_from",
        "no",
        unique=True,
        postgresql_where=text("state = 'approved'"),
    ),
)
"""An approved one holds from `effective_from` on, until the day of the next; of one day the last approved, by `no`."""

product_check_decisions = Table(
    "product_check_decisions", metadata, Column("setting_id", Uuid, primary_key=True), *decision_columns()
)

product_contradictions = Table(
    "product_contradictions",
    metadata,
    Column("contradiction_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("door", Text, nullable=False),
    Column("reference", Text),
    Column("differing", JSONB, nullable=False),
    Column("told_by", Text, nullable=False),
    Column("told_at", INSTANT, nullable=False),
    one_of("door", Door),
    Index("product_contradictions_day", "branch_id", "day", "product_id"),
    Index("product_contradictions_product", "product_id", "contradiction_id"),
    Index("product_contradictions_told_at", "told_at"),
)
"""What was taken under `warn` though it contradicted: a row a paper and product; the first of a branch, day and product.
`differing` are the contradictions, empty where the catalogue of the day has no such product.
"""

declare(
    metadata,
    changes=("product_check_settings",),
    removes={
        "product_contradictions": "each is a hint for quality assurance, and what was sold stands in the sales"
    },
    working={
        "product_contradictions": "hints of what was accepted all the same; the papers themselves stand"
    },
)
