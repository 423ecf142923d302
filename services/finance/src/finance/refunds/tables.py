"""The tables of refunds beside finance.tables: what was paid, every step, and when the goods came back."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

refund_payments = Table(
    "refund_payments",
    metadata,
    Column("refund_id", Uuid, primary_key=True),
    Column("tender", Text, primary_key=True),
    Column("payment_id", Uuid, nullable=False, unique=True),
    Column("means", Text, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("reference", Text),
    Column("booked_on", Date, nullable=False),
    Column("paid_by", Text, nullable=False),
    Column("paid_at", INSTANT, nullable=False),
    CheckConstraint("fen > 0", name="fen"),
    Index(
        "refund_payments_reference",
        "means",
        "reference",
        unique=True,
        postgresql_where=text("reference is not null"),
    ),
    Index("refund_payments_booked", "booked_on"),
)
"""One row per refund and tender: by its key nothing is paid twice. `payment_id` is the source of its entry."""

refund_steps = Table(
    "refund_steps",
    metadata,
    Column("refund_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("step", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("detail", JSONB, nullable=False),
    CheckConstraint(
        "step in ('verified', 'approved', 'held', 'released', 'paying', 'paid', 'failed')", name="step"
    ),
)
"""What happened to a refund, in the order of its versions."""

returned_goods = Table(
    "returned_goods",
    metadata,
    Column("return_id", Text, primary_key=True),
    Column("received_on", Date, nullable=False),
)
"""The day returns received the goods back: from it the days to pay count."""

declare(
    metadata,
    changes=("returned_goods",),
)
