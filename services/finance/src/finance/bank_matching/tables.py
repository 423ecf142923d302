"""Matches of bank lines, and the reconciliations of months."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

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
    Column("channel_transaction_id", Text, primary_key=True, server_default=""),
    Column("fen", BigInteger, nullable=False),
    Index("bank_settled_day", "clearing", "day", "branch_id"),
)
"""What of a branch's day on a clearing account was settled, before the fee; all of it where no payment is named."""


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
