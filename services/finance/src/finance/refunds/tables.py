"""The tables of refunds: what is owed, what was paid, every step, and when the goods came back."""

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
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare

refunds = Table(
    "refunds",
    metadata,
    Column("refund_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False, server_default="return"),
    Column("return_id", Text, nullable=False, unique=True),
    Column("sale_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("customer_id", Uuid),
    Column("booked_on", Date, nullable=False),
    Column("settled_on", Date, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", INSTANT),
    Column("approved_hash", Text),
    Column("held_reason", Text),
    Column("paid_on", Date),
    Column("paid_at", INSTANT),
    Column("cause_event_id", Uuid),
    Column("cause_lost_on", Date),
    CheckConstraint("kind in ('return', 'void')", name="kind"),
    CheckConstraint("total_fen >= 0", name="total"),
    CheckConstraint(
        "state in ('verified', 'held', 'approved', 'paying', 'paid', 'failed', 'withdrawn')", name="state"
    ),
    CheckConstraint("(state = 'paid') = (paid_at is not null)", name="paid"),
    Index("refunds_sale", "sale_id"),
    Index("refunds_cause", "cause_event_id"),
    Index("refunds_cause_lost", "refund_id", postgresql_where=text("cause_lost_on is not null")),
    Index("refunds_owed", "branch_id", "refund_id", postgresql_where=text("state <> 'paid'")),
)
"""What a settled return or a void makes us owe; `booked_on` is the day it became a liability.

A void is known to others by the `return_id` that it gives itself. `cause_event_id` settled the return. Since
`cause_lost_on` returns' log lacks it though money went out; a refund that was withdrawn for it has neither, and owes
nothing until the return is settled anew.
"""

refund_lines = Table(
    "refund_lines",
    metadata,
    Column("refund_id", Uuid, primary_key=True),
    Column("no", SmallInteger, primary_key=True),
    Column("return_line_id", Text, nullable=False),
    Column("sale_line_id", Uuid, nullable=False),
    Column("lot", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    Column("disposition", Text, nullable=False),
    Column("booked_on", Date),
)
"""What came back; `booked_on` where it is another day than the refund's: lines below 0 take back those before them."""

refund_tenders = Table(
    "refund_tenders",
    metadata,
    Column("refund_id", Uuid, primary_key=True),
    Column("tender", Text, primary_key=True),
    Column("means", Text, nullable=False),
    Column("fen", BigInteger, nullable=False),
    CheckConstraint("fen > 0", name="fen"),
)
"""What is owed to each tender of the sale; `means` is how it is paid: the tender itself, or `bank` when its channel refused."""

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
        "step in ('verified', 'approved', 'held', 'released', 'paying', 'paid', 'failed', 'withdrawn', 'cause_lost',"
        " 'told_again')",
        name="step",
    ),
)
"""What happened to a refund, in the order of its versions."""

refund_decisions = Table(
    "refund_decisions",
    metadata,
    Column("refund_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    *decision_columns(role_is_key=False),
)
"""Who approved a refund as it was at a version of it; one whose channel refused is approved again."""

returned_goods = Table(
    "returned_goods",
    metadata,
    Column("return_id", Text, primary_key=True),
    Column("received_on", Date, nullable=False),
)
"""The day returns received the goods back: from it the days to pay count."""

declare(
    metadata,
    changes=("refunds", "refund_tenders", "returned_goods"),
    removes={"refund_tenders": "a refund that is withdrawn owes nothing to any"},
)
