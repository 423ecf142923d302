"""The tables of statements: the frozen contents, who decided, what was wrong, and the chain of what was said."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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

from finance.kernel.metadata import metadata
from shared.approvals import decision_columns
from shared.tables import INSTANT, SEALED, declare

statements = Table(
    "statements",
    metadata,
    Column("statement_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("span", Text, nullable=False, server_default="month"),
    Column("month", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("as_of", JSONB, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("prepared_by", Text, nullable=False),
    Column("prepared_at", INSTANT, nullable=False),
    Column("published_on", Date),
    Column("on_time", Boolean),
    Column("withdrawn_by", Text),
    Column("withdrawn_reason", Text),
    UniqueConstraint("kind", "span", "month", "version"),
    Index("statements_month", "month"),
    CheckConstraint("kind in ('balance', 'income', 'cashflow', 'equity')", name="kind"),
    CheckConstraint("span in ('month', 'quarter', 'half_year', 'year')", name="span"),
    CheckConstraint(
        "state in ('prepared', 'reviewed', 'signed', 'published', 'restated', 'withdrawn')", name="state"
    ),
    CheckConstraint("(state = 'withdrawn') = (withdrawn_by is not null)", name="withdrawn"),
)
"""`month` is the last one of the span."""


statement_decisions = Table(
    "statement_decisions",
    metadata,
    Column("statement_id", Uuid, primary_key=True),
    *decision_columns(approves_unless_said=True),
    UniqueConstraint("statement_id", "person"),
)
"""Who reviewed and who signed; the release before wrote approvals alone."""


statement_errors = Table(
    "statement_errors",
    metadata,
    Column("statement_id", Uuid, primary_key=True),
    Column("line", Text, primary_key=True),
    Column("reported_fen", BigInteger, nullable=False),
    Column("correct_fen", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("material", Boolean, nullable=False),
)
"""What was wrong in a published statement, named by the version that corrects it."""


statement_history = Table(
    "statement_history",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("stream", Text, nullable=False),
    Column("statement_id", Uuid, nullable=False),
    Column("event", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("chain_no", BigInteger),
    Column("chain_hash", LargeBinary),
    UniqueConstraint("statement_id", "event"),
    CheckConstraint("event in ('published', 'restated')", name="event"),
    Index("statement_history_unsealed", "id", postgresql_where=text("chain_no is null")),
    Index(
        "statement_history_sealed",
        "stream",
        "chain_no",
        unique=True,
        postgresql_where=text("chain_no is not null"),
    ),
)
"""What was published and what was restated, in a hash chain per kind and year (`stream`)."""


declare(metadata, apart={"statement_history": SEALED}, changes=("statements",))
