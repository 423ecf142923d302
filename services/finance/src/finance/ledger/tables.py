"""Entries and their lines, by the month of their booking day."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from finance.kernel.metadata import BY_MONTH, metadata
from shared.tables import INSTANT, SEALED, declare

entry_ids = Sequence("journal_entry_ids", metadata=metadata, data_type=BigInteger)

journal_entries = Table(
    "journal_entries",
    metadata,
    Column("id", BigInteger, server_default=text("nextval('journal_entry_ids')"), nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("stream", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("reference", Text),
    Column("corrects_id", BigInteger),
    Column("actor", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("chain_no", BigInteger),
    Column("chain_hash", LargeBinary),
    PrimaryKeyConstraint("id", "booked_on"),
    UniqueConstraint("source_id", "kind", "booked_on"),
    CheckConstraint("total_fen > 0", name="total"),
    Index("journal_entries_unsealed", "id", postgresql_where=text("chain_no is null")),
    Index(
        "journal_entries_sealed",
        "stream",
        "chain_no",
        "booked_on",
        unique=True,
        postgresql_where=text("chain_no is not null"),
    ),
    **BY_MONTH,
)
"""`chain_no` is the voucher number: gap-free per book and year (`stream`), given after commit with the hash."""

journal_lines = Table(
    "journal_lines",
    metadata,
    Column("entry_id", BigInteger, nullable=False),
    Column("no", SmallInteger, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("customer_id", Uuid),
    Column("debit_fen", BigInteger, nullable=False),
    Column("credit_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("entry_id", "no", "booked_on"),
    CheckConstraint(
        "debit_fen >= 0 and credit_fen >= 0 and (debit_fen = 0) <> (credit_fen = 0)", name="one_side"
    ),
    **BY_MONTH,
)

declare(
    metadata,
    apart={"journal_entries": SEALED},
    unless={"journal_entries": "n.kind = 'sale'"},
    proved={"journal_lines": "part of their entry in the journal's chain"},
)
