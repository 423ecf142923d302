"""Cases of debts past due, what was done about them, and letters."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

dunning_cases = Table(
    "dunning_cases",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("item_id", Uuid, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("done_level", SmallInteger, nullable=False),
    Column("next_on", Date),
    Column("promise_fen", BigInteger),
    Column("promise_on", Date),
    Column("promise_open_fen", BigInteger),
    Column("promises_broken", SmallInteger, nullable=False, server_default="0"),
    Column("reason", Text),
    Column("opened_on", Date, nullable=False),
    Column("closed_on", Date),
    Column("version", Integer, nullable=False, server_default="0"),
    CheckConstraint(
        "state in ('waiting', 'action_due', 'promised', 'paused', 'blocked', 'final', 'settled')",
        name="state",
    ),
    CheckConstraint("done_level between 0 and level", name="level"),
    Index("dunning_cases_active", "item_id", unique=True, postgresql_where=text("state <> 'settled'")),
    Index("dunning_cases_next", "next_on", postgresql_where=text("state in ('waiting', 'promised')")),
    Index("dunning_cases_customer", "customer_id", "case_id"),
)
"""One active case per item. `next_on` is the first day on which time moves the case on."""

dunning_actions = Table(
    "dunning_actions",
    metadata,
    Column("action_id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("contact_id", Uuid),
    Column("text_version", Text, nullable=False),
    Column("promise_fen", BigInteger),
    Column("promise_on", Date),
    Column("letter_id", Uuid),
    Column("done_on", Date, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Index("dunning_actions_case", "case_id"),
    Index("dunning_actions_day", "done_on"),
)
"""People are named by their contact id alone."""

dunning_letters = Table(
    "dunning_letters",
    metadata,
    Column("letter_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("branches", JSONB, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("language", Text, nullable=False),
    Column("text_version", Text, nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("issued_at", INSTANT, nullable=False),
    CheckConstraint("language in ('zh', 'en')", name="language"),
    Index("dunning_letters_customer", "customer_id", "letter_id"),
)
"""A letter names every overdue item of its customer, frozen on the day it was issued."""

declare(metadata, changes=("dunning_cases",))
