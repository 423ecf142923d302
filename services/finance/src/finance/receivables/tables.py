"""The tables of what customers owe. Items are written by finance.open_items with the entries they stand for."""

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
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

_NEW_ID = text("gen_random_uuid()")

payments = Table(
    "payments",
    metadata,
    Column("payment_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("tender", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("item_id", Uuid, nullable=False),
    Column("received_by", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("reversed_on", Date),
    Column("reversal_reason", Text),
    CheckConstraint("amount_fen > 0", name="amount"),
    Index(
        "payments_reference", "tender", "reference", unique=True, postgresql_where=text("reversed_on is null")
    ),
    Index("payments_customer", "customer_id", "payment_id"),
    Index("payments_day", "received_on", "payment_id"),
)

credit_terms = Table(
    "credit_terms",
    metadata,
    Column("customer_id", Uuid, primary_key=True),
    Column("effective_from", Date, primary_key=True),
    Column("instalments", JSONB, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", INSTANT, nullable=False),
)
"""`[{"days": 30, "share_bp": 10000}]`: days after the business date, shares that sum to 10 000."""

write_offs = Table(
    "write_offs",
    metadata,
    Column("write_off_id", Uuid, primary_key=True),
    Column("item_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("booked_on", Date),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("state in ('requested', 'rejected', 'written_off')", name="state"),
    Index("write_offs_state", "state", "write_off_id"),
    Index("write_offs_requested", "item_id", unique=True, postgresql_where=text("state = 'requested'")),
)

write_off_decisions = Table(
    "write_off_decisions",
    metadata,
    Column("write_off_id", Uuid, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("approved", SmallInteger, nullable=False),
    Column("reason", Text),
    Column("at", INSTANT, nullable=False),
    Column("subject_hash", Text, nullable=False),
    UniqueConstraint("write_off_id", "person"),
)

customer_statements = Table(
    "customer_statements",
    metadata,
    Column("statement_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("branches", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("issued_at", INSTANT, nullable=False),
    Column("channel", Text),
    Column("sent_at", INSTANT),
    Column("contact_id", Uuid),
    Column("answered_at", INSTANT),
    UniqueConstraint("customer_id", "as_of"),
    CheckConstraint("state in ('issued', 'sent', 'confirmed', 'disputed')", name="state"),
)
"""对账函: what a customer owes on a day, item by item, for the customer to confirm or dispute."""

customer_statement_items = Table(
    "customer_statement_items",
    metadata,
    Column("statement_id", Uuid, primary_key=True),
    Column("item_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("open_fen", BigInteger, nullable=False),
    Column("answer", Text),
    Column("reason", Text),
    CheckConstraint("answer in ('confirmed', 'disputed')", name="answer"),
)

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

declare(
    metadata,
    changes=(
        "payments",
        "write_offs",
        "customer_statements",
        "customer_statement_items",
        "dunning_cases",
    ),
)
