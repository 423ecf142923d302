"""One fact for every event of the others, in the schema `facts`.

A table holds rows of one kind of fact, keyed by (source, seq[, line]) so that repeats and order never
matter, and is partitioned by month of `day` (partitions are made when a month first appears).
Fact rows are written once and never changed. `reporting rebuild` writes the same tables into a schema beside
`facts` and renames the schemas.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

from reporting.kernel.metadata import metadata
from shared.tables import INSTANT, declare

SCHEMA = "facts"


def _fact_table(name: str, *columns: Column[Any], has_lines: bool = False) -> Table:
    keys = ["source", "seq", *(["line"] if has_lines else []), "day"]
    return Table(
        name,
        metadata,
        Column("source", Text, nullable=False),
        Column("seq", BigInteger, nullable=False),
        *([Column("line", Integer, nullable=False)] if has_lines else []),
        Column("day", Date, nullable=False),
        Column("type", Text, nullable=False),
        Column("branch_id", Text),
        *columns,
        PrimaryKeyConstraint(*keys),
        schema=SCHEMA,
        postgresql_partition_by="RANGE (day)",
    )


def _fen(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


fact_sales = _fact_table(
    "fact_sales",
    Column("sale_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("channel", Text, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("sold_at", INSTANT, nullable=False),
    _fen("net_fen"),
    _fen("tax_fen"),
    _fen("total_fen"),
    _fen("cost_fen"),
)
Index(None, fact_sales.c.sale_id)
Index(None, fact_sales.c.customer_id, postgresql_where=fact_sales.c.customer_id.is_not(None))
Index(
    "fact_sales_late",
    fact_sales.c.business_date,
    postgresql_where=fact_sales.c.business_date < fact_sales.c.day,
)

fact_sale_lines = _fact_table(
    "fact_sale_lines",
    Column("line_id", Text, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("temp_class", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("expiry", Date),
    Column("quantity", BigInteger, nullable=False),
    _fen("net_fen"),
    Column("tax_bp", Integer, nullable=False),
    _fen("tax_fen"),
    _fen("cost_fen"),
    has_lines=True,
)

fact_sale_tenders = _fact_table(
    "fact_sale_tenders", Column("tender", Text, nullable=False), _fen("fen"), has_lines=True
)

fact_refunds = _fact_table(
    "fact_refunds",
    Column("refund_id", Text, nullable=False),
    Column("return_id", Text),
    Column("sale_id", Text, nullable=False),
    Column("customer_id", Text),
    _fen("total_fen"),
)
Index(None, fact_refunds.c.sale_id)

fact_refund_lines = _fact_table(
    "fact_refund_lines",
    Column("sale_line_id", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    _fen("net_fen"),
    _fen("tax_fen"),
    _fen("cost_fen"),
    Column("disposition", Text, nullable=False),
    has_lines=True,
)

fact_returns = _fact_table(
    "fact_returns",
    Column("fact", Text, nullable=False),
    Column("return_id", Text, nullable=False),
    Column("kind", Text),
    Column("reason", Text),
    Column("cause", Text),
    Column("sale_id", Text),
    Column("customer_id", Text),
    Column("return_line_id", Text),
    Column("sale_line_id", Text),
    Column("product_id", Text),
    Column("lot", Text),
    Column("temp_class", Text),
    Column("result", Text),
    Column("disposition", Text),
    Column("hours", BigInteger),
    Column("quantity", BigInteger),
    Column("net_fen", BigInteger),
    Column("tax_fen", BigInteger),
    Column("cost_fen", BigInteger),
    Column("amount_fen", BigInteger, nullable=False),
    has_lines=True,
)

fact_tickets = _fact_table(
    "fact_tickets",
    Column("fact", Text, nullable=False),
    Column("ticket_id", Text, nullable=False),
    Column("kind", Text),
    Column("channel", Text),
    Column("severity", Text),
    Column("customer_id", Text),
    Column("sale_id", Text),
    Column("product_id", Text),
    Column("lot", Text),
    Column("cycle", Integer),
    Column("cause", Text),
    Column("fault", Text),
    Column("clock", Text),
    Column("on_time", Boolean),
    Column("seconds", BigInteger),
    Column("amount_fen", BigInteger, nullable=False),
)

fact_surveys = _fact_table(
    "fact_surveys",
    Column("fact", Text, nullable=False),
    Column("survey_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("ticket_id", Text),
    Column("delivered", Boolean),
    Column("instrument_version", Text),
    Column("quality", SmallInteger),
    Column("service", SmallInteger),
    Column("price", SmallInteger),
    Column("amount_fen", BigInteger, nullable=False),
)

fact_feedback = _fact_table(
    "fact_feedback",
    Column("fact", Text, nullable=False),
    Column("feedback_id", Text),
    Column("ticket_id", Text),
    Column("month", Date, nullable=False),
    Column("channel", Text),
    Column("kind", Text),
    Column("records", BigInteger),
    Column("on_time", Boolean),
    Column("amount_fen", BigInteger, nullable=False),
)

fact_statements = _fact_table(
    "fact_statements",
    Column("fact", Text, nullable=False),
    Column("statement_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("leaf_lines", Integer),
    Column("on_time", Boolean),
    Column("statement_line", Text),
    Column("reported_fen", BigInteger),
    Column("correct_fen", BigInteger),
    Column("material", Boolean),
    Column("amount_fen", BigInteger, nullable=False),
    has_lines=True,
)
Index(None, fact_statements.c.statement_id)

fact_customers = _fact_table(
    "fact_customers",
    Column("fact", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("kind", Text),
    Column("source_channel", Text),
    Column("status", Text),
    Column("amount_fen", BigInteger, nullable=False),
)

fact_points = _fact_table(
    "fact_points",
    Column("fact", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("sale_id", Text),
    Column("return_id", Text),
    Column("points", BigInteger, nullable=False),
    Column("money_basis_fen", BigInteger),
    Column("amount_fen", BigInteger, nullable=False),
)

fact_other = _fact_table(
    "fact_other",
    Column("subject", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
)

FACT_TABLES: tuple[Table, ...] = tuple(table for table in metadata.tables.values() if table.schema == SCHEMA)

declare(
    metadata,
    removes=dict.fromkeys(
        (table.fullname for table in FACT_TABLES),
        "withdrawn when a source has lost the end of its log",
    ),
)
