"""The tables of bank accounts. A line's payer is never stored: it may be a person's name."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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
from shared.tables import INSTANT, declare

bank_accounts = Table(
    "bank_accounts",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("bank", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("number_key", Text, nullable=False, unique=True),
    Column("branch_id", Text),
    Column("is_main", Boolean, nullable=False),
    Column("registered_by", Text, nullable=False),
    Column("registered_at", INSTANT, nullable=False),
    Column("last_day", Date),
    Column("closed_by", Text),
    Column("closed_at", INSTANT),
    Index("bank_accounts_main", "is_main", unique=True, postgresql_where=text("is_main")),
)
"""Without `branch_id` the account is the chain's. Entries on 1002 that no account claims are the main account's.

`number_key` is the number as all its spellings have it (`rules.number_key`); after `last_day` nothing is asked of the account.
"""

bank_statements = Table(
    "bank_statements",
    metadata,
    Column("statement_id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("from_on", Date, nullable=False),
    Column("to_on", Date, nullable=False),
    Column("opening_fen", BigInteger, nullable=False),
    Column("closing_fen", BigInteger, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("new_lines", Integer, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("imported_by", Text, nullable=False),
    Column("imported_at", INSTANT, nullable=False),
    Column("identity", LargeBinary),
    UniqueConstraint("account_id", "identity"),
    CheckConstraint("from_on <= to_on", name="days"),
)
"""`identity` is what the statement says of days, balances and lines (`formats.identity`); `number` is what the bank calls it."""

bank_lines = Table(
    "bank_lines",
    metadata,
    Column("line_id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("statement_id", Uuid, nullable=False),
    Column("line_hash", LargeBinary, nullable=False),
    Column("no", BigInteger, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("valued_on", Date),
    Column("fen", BigInteger, nullable=False),
    Column("reference", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("clearing", Text),
    UniqueConstraint("account_id", "line_hash"),
    Index("bank_lines_day", "account_id", "booked_on", "line_id"),
)
"""`fen` is positive when it enters the account; `clearing` is who settles, as far as the line tells; `no` counts the lines of the
account as they came. `booked_on` lies in the days of the statement, whatever day the line is valued.
"""

bank_dialects = Table(
    "bank_dialects",
    metadata,
    Column("dialect", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("definition", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("kept_by", Text, nullable=False),
    Column("kept_at", INSTANT, nullable=False),
)
"""Dialects that an accountant defined; the newest version reads, the older ones say how earlier files were read."""

bank_matches = Table(
    "bank_matches",
    metadata,
    Column("match_id", Uuid, primary_key=True),
    Column("line_id", Uuid, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text),
    Column("fee_fen", BigInteger, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("confirmed_by", Text, nullable=False),
    Column("confirmed_at", INSTANT, nullable=False),
    Column("undone_by", Text),
    Column("undone_at", INSTANT),
    Column("undone_reason", Text),
    Index("bank_matches_line", "line_id", unique=True, postgresql_where=text("undone_at is null")),
    Index("bank_matches_lines", "line_id"),
    CheckConstraint("kind in ('book', 'transit', 'settlement', 'direct')", name="kind"),
    CheckConstraint("fee_fen >= 0", name="fee"),
)

bank_book_items = Table(
    "bank_book_items",
    metadata,
    Column("source_id", Uuid, primary_key=True),
    Column("entry_kind", Text, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("match_id", Uuid, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Index("bank_book_items_match", "match_id"),
    Index("bank_book_items_account", "account_id", "booked_on"),
)
"""Entries on 1002 that a bank line showed; the items of one match sum to its line."""

bank_transits = Table(
    "bank_transits",
    metadata,
    Column("source_id", Uuid, primary_key=True),
    Column("entry_kind", Text, primary_key=True),
    Column("match_id", Uuid, nullable=False),
    Column("fen", BigInteger, nullable=False),
)
"""Entries on cash in transit that reached the bank."""

bank_settled = Table(
    "bank_settled",
    metadata,
    Column("match_id", Uuid, primary_key=True),
    Column("clearing", Text, primary_key=True),
    Column("branch_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("fen", BigInteger, nullable=False),
    Index("bank_settled_day", "clearing", "day", "branch_id"),
)
"""What of a branch's day on a clearing account was settled, before the fee."""

bank_reconciliations = Table(
    "bank_reconciliations",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("book_fen", BigInteger, nullable=False),
    Column("statement_fen", BigInteger, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("completed_by", Text, nullable=False),
    Column("completed_at", INSTANT, nullable=False),
)

declare(
    metadata,
    changes=(
        "bank_accounts",
        "bank_matches",
        "bank_book_items",
        "bank_transits",
        "bank_settled",
        "bank_reconciliations",
    ),
    removes={
        "bank_book_items": "a match that is undone gives back what it booked",
        "bank_transits": "a match that is undone",
        "bank_settled": "a match that is undone",
    },
)
