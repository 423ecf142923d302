"""Notices and their lines; the history is append-only and chained."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
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

from returns.kernel.metadata import metadata
from returns.kernel.vocabulary import (
    Disposition,
    Kind,
    LineStatus,
    ReceiptCause,
    RefusalCause,
    Result,
    Status,
)
from shared.chain import Chain, moment
from shared.tables import INSTANT, SEALED, declare, one_of

return_notices = Table(
    "return_notices",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("sale_id", Text),
    Column("receipt_number", Text),
    Column("customer_id", Text),
    Column("sold_at", INSTANT),
    Column("reason", Text, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("cause", Text),
    Column("cause_detail", Text),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("received_by", Text),
    Column("received_at", INSTANT),
    Column("refund_fen", BigInteger),
    Column("refund_id", Text),
    one_of("kind", Kind),
    one_of("status", Status),
    one_of("cause", RefusalCause),
    Index("return_notices_branch", "branch_id", "id"),
    Index("return_notices_sale", "sale_id"),
    Index("return_notices_customer", "customer_id", "id"),
)

return_lines = Table(
    "return_lines",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("notice_id", Uuid, ForeignKey("return_notices.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("sale_line_id", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("temp_class", Text, nullable=False),
    Column("expiry", Date, nullable=False),
    Column("sold_quantity", Integer, nullable=False),
    Column("sold_net_fen", BigInteger, nullable=False),
    Column("sold_tax_fen", BigInteger, nullable=False),
    Column("sold_cost_fen", BigInteger, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("received_quantity", Integer, nullable=False),
    Column("accepted_quantity", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("receipt_cause", Text),
    Column("result", Text),
    Column("inspected_by", Text),
    Column("disposition", Text),
    Column("net_fen", BigInteger),
    Column("tax_fen", BigInteger),
    Column("cost_fen", BigInteger),
    UniqueConstraint("notice_id", "sale_line_id", "lot"),
    one_of("status", LineStatus),
    one_of("receipt_cause", ReceiptCause),
    one_of("result", Result),
    one_of("disposition", Disposition),
    CheckConstraint(
        "0 <= accepted_quantity and accepted_quantity <= received_quantity and received_quantity <= quantity",
        name="quantities",
    ),
)

notice_history = Table(
    "notice_history",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("stream", Text, nullable=False),
    Column("notice_id", Uuid, ForeignKey("return_notices.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("fact", Text, nullable=False),
    Column("from_status", Text),
    Column("to_status", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("chain_no", BigInteger),
    Column("chain_hash", LargeBinary),
    UniqueConstraint("notice_id", "version"),
    Index("notice_history_unsealed", "id", postgresql_where=text("chain_no is null")),
    Index(
        "notice_history_sealed",
        "stream",
        "chain_no",
        unique=True,
        postgresql_where=text("chain_no is not null"),
    ),
)

HISTORY_CHAIN = Chain(
    name="notice_history",
    table="notice_history",
    content_sql="json_build_array(t.id, t.stream, t.notice_id, t.version, t.fact, t.from_status, t.to_status,"
    f" {moment('t.at')}, t.actor, t.roles, t.detail)::text",
)

declare(metadata, apart={"notice_history": SEALED}, changes=("return_notices", "return_lines"))
