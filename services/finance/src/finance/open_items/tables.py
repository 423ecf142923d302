"""Debts and credits of customers, one row each."""

from sqlalchemy import (
    BigInteger,
    Boolean,
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

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

_NEW_ID = text("gen_random_uuid()")

receivable_items = Table(
    "receivable_items",
    metadata,
    Column("item_id", Uuid, primary_key=True, server_default=_NEW_ID),
    Column("customer_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("instalment", SmallInteger, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("open_fen", BigInteger, nullable=False),
    Column("written_off_fen", BigInteger, nullable=False, server_default="0"),
    Column("settled_on", Date),
    Column("disputed_at", INSTANT),
    Column("dispute_reason", Text),
    Column("principal_id", Uuid),
    Column("interest_through", Date),
    Column("interest_fen", BigInteger, nullable=False, server_default="0"),
    Column("told_days", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("is_opening_told", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("source_id", "kind", "instalment"),
    CheckConstraint(
        "kind in ('sale', 'interest', 'payment_reversal', 'other', 'credit_note', 'payment', 'write_off')",
        name="kind",
    ),
    CheckConstraint(
        "amount_fen > 0 and open_fen between 0 and amount_fen"
        " or amount_fen < 0 and open_fen between amount_fen and 0",
        name="open",
    ),
    Index("receivable_items_open", "customer_id", "branch_id", postgresql_where=text("open_fen <> 0")),
    Index(
        "receivable_items_due",
        "due_on",
        postgresql_include=["customer_id", "branch_id", "booked_on", "open_fen"],
        postgresql_where=text("open_fen > 0"),
    ),
    Index(
        "receivable_items_credit",
        "customer_id",
        postgresql_include=["branch_id", "booked_on", "open_fen"],
        postgresql_where=text("open_fen < 0"),
    ),
    Index("receivable_items_untold", "booked_on", postgresql_where=text("not is_opening_told")),
    Index("receivable_items_customer", "customer_id", "item_id"),
    Index("receivable_items_principal", "principal_id", postgresql_where=text("principal_id is not null")),
)
"""A debt has an amount above 0, a credit below; `told_days` is the last bucket of age that was told."""

declare(metadata, changes=("receivable_items",))
