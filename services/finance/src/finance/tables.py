"""The tables of finance. What grows is partitioned by the month of its booking day from the first migration.

Partitions `<table>_y2026m11` are made on demand and ahead of time by the SQL function `ensure_month`, under an
advisory lock; a month exists when it has a row in `periods`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
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

books = Table(
    "books",
    metadata,
    Column("code", Text, primary_key=True),
    Column("standard", Text, nullable=False),
    Column("begins_on", Date, nullable=False),
    CheckConstraint("standard in ('small', 'cas')", name="standard"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("standard", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("meaning", Text, nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("leaf", Boolean, nullable=False),
    UniqueConstraint("standard", "meaning"),
)

periods = Table(
    "periods",
    metadata,
    Column("month", Date, primary_key=True),
    Column("state", Text, nullable=False, server_default="open"),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("closed_by", Text),
    Column("closed_at", INSTANT),
    Column("locked_by", Text),
    Column("locked_at", INSTANT),
    Column("late_days", Integer),
    CheckConstraint("state in ('open', 'soft_closed', 'locked')", name="state"),
    CheckConstraint("extract(day from month) = 1", name="first_day"),
)

"""`late_days` counts from the last day of the calendar by which the month was to be closed; null while open."""

running_balances = Table(
    "running_balances",
    metadata,
    Column("month", Date, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("branch_id", Text, primary_key=True),
    Column("is_transfer", Boolean, primary_key=True),
    Column("debit_fen", BigInteger, nullable=False),
    Column("credit_fen", BigInteger, nullable=False),
)
"""Sums of every sealed entry, written by the trigger `fold` in the transaction that seals: one writer, so no till waits.

With the entries not sealed yet they are exact at every instant. `is_transfer` keeps apart what the year's end moves
out of income and expense.
"""

period_balances = Table(
    "period_balances",
    metadata,
    Column("month", Date, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("branch_id", Text, primary_key=True),
    Column("debit_fen", BigInteger, nullable=False),
    Column("credit_fen", BigInteger, nullable=False),
    Column("closing_fen", BigInteger, nullable=False),
)
"""Of closed months alone: sums per account and branch, and the balance carried (debit less credit), of all that ever moved.

A later month starts from here, however long the history is.
"""

period_reopenings = Table(
    "period_reopenings",
    metadata,
    Column("reopening_id", Uuid, primary_key=True),
    Column("month", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    CheckConstraint("state in ('pending', 'approved', 'rejected')", name="state"),
    Index("period_reopenings_pending", "month", unique=True, postgresql_where=text("state = 'pending'")),
)

period_reopening_decisions = Table(
    "period_reopening_decisions",
    metadata,
    Column("reopening_id", Uuid, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text),
    Column("at", INSTANT, nullable=False),
    Column("subject_hash", Text, nullable=False),
    UniqueConstraint("reopening_id", "person"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("branch_id", Text, primary_key=True),
    Column("receipt_number", Text, primary_key=True),
    Column("sale_id", Uuid, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    UniqueConstraint("sale_id"),
)
"""The directory of sales: a number is used once per branch, and an id leads to its partition."""

sales = Table(
    "sales",
    metadata,
    Column("sale_id", Uuid, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("receipt_number", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("customer_id", Uuid),
    Column("channel", Text, nullable=False),
    Column("sold_at", INSTANT, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    Column("posted_by", Text, nullable=False),
    Column("posted_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("sale_id", "booked_on"),
    Index("sales_posted_at", "posted_at", postgresql_using="brin"),
    Index("sales_branch_day", "branch_id", "business_date", "sale_id"),
    Index("sales_customer", "customer_id", "sale_id", postgresql_where=text("customer_id is not null")),
    **BY_MONTH,
)

sale_lines = Table(
    "sale_lines",
    metadata,
    Column("sale_id", Uuid, nullable=False),
    Column("no", SmallInteger, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("line_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("generic_name", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("temp_class", Text, nullable=False),
    Column("dosage_form", Text),
    Column("specification", Text),
    Column("mah", Text),
    Column("maker", Text),
    Column("approval_number", Text),
    Column("lot", Text, nullable=False),
    Column("lot_key", Text, nullable=False),
    Column("expiry", Date, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_fen", BigInteger, nullable=False),
    Column("discount_fen", BigInteger, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("tax_bp", Integer, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("sale_id", "no", "booked_on"),
    CheckConstraint("quantity > 0", name="quantity"),
    Index("sale_lines_lot", "product_id", "lot_key"),
    **BY_MONTH,
)
"""`lot` is what the till wrote; `lot_key` is its canonical spelling, by which lots are compared everywhere."""

tenders = Table(
    "tenders",
    metadata,
    Column("sale_id", Uuid, nullable=False),
    Column("tender", Text, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("sale_id", "tender", "booked_on"),
    CheckConstraint("fen > 0", name="fen"),
    **BY_MONTH,
)

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
    unless={
        "audit": "n.action = 'sale.post'",
        "outbox": "n.aggregate = 'sale'",
        "journal_entries": "n.kind = 'sale'",
    },
    proved={
        "sales": "written down in the order of their events (finance.journal)",
        "sale_lines": "part of their sale",
        "tenders": "part of their sale",
        "receipts": "part of their sale",
        "journal_lines": "part of their entry in the journal's chain",
        "running_balances": "the sums of sealed lines",
    },
    changes=(
        "running_balances",
        "periods",
        "period_reopenings",
    ),
    locks={"receipts": "booked_on"},
    removes={
        "period_balances": "a month that is opened again",
    },
)
