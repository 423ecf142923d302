"""Bank accounts, statements and their lines. A line's payer is never stored: it may be a person's name."""

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

declare(metadata, changes=("bank_accounts",))
