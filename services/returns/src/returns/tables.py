"""The tables of Returns. What was sold is partitioned by month of sale; the history is append-only and chained."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from returns.domain.disposition import Disposition
from returns.domain.inspection import Result
from returns.domain.notice import Kind, LineStatus, ReceiptCause, RefusalCause, Status
from shared.chain import Chain, moment
from shared.database import new_metadata
from shared.tables import INSTANT, SEALED, declare, mechanism_tables

metadata = new_metadata()
mechanism_tables(metadata)


def _one_of(
    column: str, kinds: type[Kind | Status | LineStatus | RefusalCause | ReceiptCause | Result | Disposition]
) -> CheckConstraint:
    listed = ", ".join(f"'{kind.value}'" for kind in kinds)
    return CheckConstraint(f"{column} in ({listed})", name=column)


customer_kinds = Table(
    "customer_kinds",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
)

sold_lines = Table(
    "sold_lines",
    metadata,
    Column("sale_day", Date, primary_key=True),
    Column("sale_id", Text, primary_key=True),
    Column("sale_line_id", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("receipt_number", Text, nullable=False),
    Column("customer_id", Text),
    Column("sold_at", INSTANT, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("temp_class", Text, nullable=False),
    Column("expiry", Date, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    Index("sold_lines_sale", "sale_id"),
    Index("sold_lines_receipt", "branch_id", "receipt_number"),
    postgresql_partition_by="RANGE (sale_day)",
)

return_allotments = Table(
    "return_allotments",
    metadata,
    Column("sale_id", Text, primary_key=True),
    Column("sale_line_id", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("sold", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("settled", Integer, nullable=False),
    CheckConstraint("0 <= settled and settled <= reserved and reserved <= sold", name="within_sold"),
)

return_numbers = Table(
    "return_numbers",
    metadata,
    Column("branch_id", Text, primary_key=True),
    Column("year", SmallInteger, primary_key=True),
    Column("last", Integer, nullable=False),
)

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
    _one_of("kind", Kind),
    _one_of("status", Status),
    _one_of("cause", RefusalCause),
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
    _one_of("status", LineStatus),
    _one_of("receipt_cause", ReceiptCause),
    _one_of("result", Result),
    _one_of("disposition", Disposition),
    CheckConstraint(
        "0 <= accepted_quantity and accepted_quantity <= received_quantity and received_quantity <= quantity",
        name="quantities",
    ),
)

return_decisions = Table(
    "return_decisions",
    metadata,
    Column("notice_id", Uuid, ForeignKey("return_notices.id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text),
    Column("at", INSTANT, nullable=False),
    Column("subject_hash", Text, nullable=False),
    UniqueConstraint("notice_id", "person"),
)

return_pickups = Table(
    "return_pickups",
    metadata,
    Column("notice_id", Uuid, ForeignKey("return_notices.id"), primary_key=True),
    Column("ordered_at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("confirmed_at", INSTANT),
    Column("confirmed_by", Text),
    Column("on_time", Boolean),
    Column("breached_at", INSTANT),
    Index(
        "return_pickups_open",
        "due_at",
        postgresql_where=text("confirmed_at is null and breached_at is null"),
    ),
)

return_receipts = Table(
    "return_receipts",
    metadata,
    Column("notice_id", Uuid, ForeignKey("return_notices.id"), primary_key=True),
    Column("receiver", Text, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("quarantine_location", Text, nullable=False),
    Column("carrier", Text),
    Column("vehicle", Text),
    Column("dispatch_place", Text),
    Column("dispatched_at", INSTANT),
    Column("arrival_decicelsius", Integer),
)

cold_chain_evidence = Table(
    "cold_chain_evidence",
    metadata,
    Column("line_id", Uuid, ForeignKey("return_lines.id"), primary_key=True),
    Column("evidence", JSONB, nullable=False),
    Column("fault", Text),
    Column("checked_at", INSTANT, nullable=False),
)

inspection_reports = Table(
    "inspection_reports",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("line_id", Uuid, ForeignKey("return_lines.id"), nullable=False, index=True),
    Column("inspector", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("cases", Integer, nullable=False),
    Column("is_intact", Boolean, nullable=False),
    Column("has_anomaly", Boolean, nullable=False),
    Column("cases_required", Integer, nullable=False),
    Column("packs_per_case_required", Integer),
    Column("cases_sampled", Integer, nullable=False),
    Column("checks", JSONB, nullable=False),
    Column("result", Text, nullable=False),
    Column("accepted_quantity", Integer, nullable=False),
    _one_of("result", Result),
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

stop_sales = Table(
    "stop_sales",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("product_id", Text, nullable=False),
    Column("lots", ARRAY(Text), nullable=False),
    Column("lot_keys", ARRAY(Text), nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", ARRAY(Text), nullable=False),
    Column("state", Text, nullable=False),
    Column("ordered_by", Text, nullable=False),
    Column("ordered_at", INSTANT, nullable=False),
    Column("lifted_at", INSTANT),
    CheckConstraint("state in ('ordered', 'lifted')", name="state"),
    CheckConstraint("(state = 'lifted') = (lifted_at is not null)", name="lifted"),
    Index("stop_sales_product", "product_id", "id"),
)

stop_sale_liftings = Table(
    "stop_sale_liftings",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("stop_sale_id", Uuid, ForeignKey("stop_sales.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", ARRAY(Text), nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", INSTANT),
    Column("decided_reason", Text),
    CheckConstraint("state in ('pending', 'approved', 'rejected')", name="state"),
    CheckConstraint("decided_by <> requested_by", name="two_persons"),
    Index("stop_sale_liftings_stop", "stop_sale_id", "id"),
    Index(
        "stop_sale_liftings_pending", "stop_sale_id", unique=True, postgresql_where=text("state = 'pending'")
    ),
)

HISTORY_CHAIN = Chain(
    name="notice_history",
    table="notice_history",
    content_sql="json_build_array(t.id, t.stream, t.notice_id, t.version, t.fact, t.from_status, t.to_status,"
    f" {moment('t.at')}, t.actor, t.roles, t.detail)::text",
)

declare(
    metadata,
    apart={"notice_history": SEALED},
    changes=(
        "return_allotments",
        "return_numbers",
        "return_notices",
        "return_lines",
        "return_pickups",
        "stop_sales",
        "stop_sale_liftings",
    ),
    removes=dict.fromkeys(
        ("sold_lines", "customer_kinds"), "filled anew when a source has lost the end of its log"
    ),
)
