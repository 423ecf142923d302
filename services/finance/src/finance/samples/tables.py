"""Tables of samples: the request with what became of it, its decisions, and the numbers given."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from finance.kernel.metadata import metadata
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare

sample_numbers = Table(
    "sample_numbers",
    metadata,
    Column("branch_id", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last_no", Integer, nullable=False),
)

samples = Table(
    "samples",
    metadata,
    Column("sample_id", Uuid, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("branch_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("customer_id", Uuid),
    Column("purpose", Text, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("generic_name", Text, nullable=False),
    Column("category", Text),
    Column("lot", Text, nullable=False),
    Column("lot_key", Text, nullable=False),
    Column("expiry", Date),
    Column("quantity", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_on", Date, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("issued_by", Text),
    Column("issued_at", INSTANT),
    Column("booked_on", Date),
    Column("cost_basis", Text),
    Column("cost_fen", BigInteger),
    Column("tax_bp", Integer),
    Column("vat_basis", Text),
    Column("vat_base_fen", BigInteger),
    Column("vat_fen", BigInteger),
    Column("confirm_by", Date),
    Column("used_quantity", Integer),
    Column("returned_quantity", Integer),
    Column("confirmed_by", Text),
    Column("confirmed_at", INSTANT),
    CheckConstraint("kind in ('product', 'packaging')", name="kind"),
    CheckConstraint("state in ('requested', 'approved', 'rejected', 'issued', 'confirmed')", name="state"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("kind = 'packaging' or (category is not null and expiry is not null)", name="product"),
    CheckConstraint("(state in ('issued', 'confirmed')) = (cost_fen is not null)", name="issued"),
    CheckConstraint("state <> 'confirmed' or used_quantity + returned_quantity = quantity", name="confirmed"),
    CheckConstraint("cost_basis in ('average', 'till', 'none')", name="cost_basis"),
    CheckConstraint("vat_basis in ('price', 'cost')", name="vat_basis"),
    CheckConstraint(
        "(vat_basis is null) = (vat_fen is null) and (vat_base_fen is null) = (vat_fen is null)", name="vat"
    ),
    Index("samples_branch", "branch_id", "sample_id"),
    Index(
        "samples_customer", "customer_id", "requested_on", postgresql_where=text("customer_id is not null")
    ),
    Index("samples_person", "requested_by", "requested_on"),
    Index("samples_lot", "product_id", "lot", postgresql_where=text("cost_fen is not null")),
)
"""`cost_basis` says what the cost rests on: the lot's moving average, the till's last cost, or nothing (packaging
that was never bought as stock). `vat_fen` is the output VAT of what is deemed sold, on `vat_base_fen`. Samples that came back are kept apart; they are never sold."""

sample_decisions = Table(
    "sample_decisions",
    metadata,
    Column("sample_id", Uuid, nullable=False),
    *decision_columns(role_is_key=False),
    PrimaryKeyConstraint("sample_id", "role"),
    UniqueConstraint("sample_id", "person"),
)

declare(
    metadata,
    changes=("sample_numbers", "samples"),
)
