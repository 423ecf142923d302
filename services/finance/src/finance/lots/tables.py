"""The expiry of each lot, what contradicted it, and what quality assurance decided."""

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, Table, Text, Uuid, text

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

lot_expiries = Table(
    "lot_expiries",
    metadata,
    Column("product_id", Text, primary_key=True),
    Column("lot_key", Text, primary_key=True),
    Column("lot", Text, nullable=False),
    Column("expiry", Date, nullable=False),
    Column("source", Text, nullable=False),
    Column("branch_id", Text),
    Column("reference", Text),
    Column("told_by", Text, nullable=False),
    Column("told_at", INSTANT, nullable=False),
    CheckConstraint(
        "source in ('sale', 'shipment', 'order', 'sample', 'goods_receipt', 'decision')", name="source"
    ),
)
"""`lot` as it was written first; `source`, `branch_id` and `reference` are the paper that told it, such as a receipt's
number. A decision of quality assurance is of no branch."""

lot_contradictions = Table(
    "lot_contradictions",
    metadata,
    Column("contradiction_id", Uuid, primary_key=True),
    Column("product_id", Text, nullable=False),
    Column("lot_key", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("told_expiry", Date, nullable=False),
    Column("held_expiry", Date, nullable=False),
    Column("source", Text, nullable=False),
    Column("reference", Text),
    Column("times", Integer, nullable=False),
    Column("first_told_at", INSTANT, nullable=False),
    Column("last_told_at", INSTANT, nullable=False),
    Column("last_told_by", Text, nullable=False),
    Column("decision_id", Uuid),
    CheckConstraint("times > 0", name="times"),
    Index(
        "lot_contradictions_open",
        "branch_id",
        "product_id",
        "lot_key",
        "told_expiry",
        unique=True,
        postgresql_where=text("decision_id is null"),
    ),
    Index("lot_contradictions_lot", "product_id", "lot_key", "contradiction_id"),
)
"""What was refused: one row per branch, lot and expiry until it is decided, however often it was told. `lot`, `source`
and `reference` are those of the last time."""

lot_expiry_decisions = Table(
    "lot_expiry_decisions",
    metadata,
    Column("decision_id", Uuid, primary_key=True),
    Column("product_id", Text, nullable=False),
    Column("lot_key", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("before", Date),
    Column("expiry", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("contradictions", Integer, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", INSTANT, nullable=False),
    Index("lot_expiry_decisions_lot", "product_id", "lot_key", "decision_id"),
)
"""`before` is what held until then; `contradictions` how many open ones the decision settled."""

declare(
    metadata,
    changes=("lot_expiries",),
    working={"lot_contradictions": "counts what was refused; books rest on what was accepted"},
)
