"""Tables of costs: goods receipts, stock of each lot with every movement, cost runs, standard prices, alerts."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

goods_receipts = Table(
    "goods_receipts",
    metadata,
    Column("goods_receipt_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("supplier_id", Text, nullable=False),
    Column("invoice_no", Text, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    UniqueConstraint("supplier_id", "invoice_no"),
    Index("goods_receipts_branch", "branch_id", "goods_receipt_id"),
    Index("goods_receipts_day", "received_on", "goods_receipt_id"),
)

goods_receipt_lines = Table(
    "goods_receipt_lines",
    metadata,
    Column("goods_receipt_id", Uuid, nullable=False),
    Column("no", SmallInteger, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("supplier_id", Text, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("expiry", Date),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_fen", BigInteger, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("tax_bp", Integer, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    Column("reference", Text),
    Column("reference_price_fen", BigInteger),
    PrimaryKeyConstraint("goods_receipt_id", "no"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("reference in ('standard', 'last')", name="reference"),
    Index("goods_receipt_lines_product", "product_id", "booked_on", "goods_receipt_id"),
    Index("goods_receipt_lines_month", "booked_on"),
)
"""`unit_price_fen` is without tax; `reference_price_fen` is the standard or last price it was compared with."""

standard_prices = Table(
    "standard_prices",
    metadata,
    Column("product_id", Text, primary_key=True),
    Column("effective_from", Date, primary_key=True),
    Column("unit_price_fen", BigInteger, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", INSTANT, nullable=False),
)

lot_stock = Table(
    "lot_stock",
    metadata,
    Column("branch_id", Text, primary_key=True),
    Column("product_id", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    Column("value_fen", BigInteger, nullable=False),
    CheckConstraint("quantity >= 0 and value_fen >= 0 and (quantity > 0 or value_fen = 0)", name="stock"),
)
"""Quantity and value of what was purchased, one row however the lot was spelled; the average is their quotient and is
stored nowhere."""

stock_moves = Table(
    "stock_moves",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("value_fen", BigInteger, nullable=False),
    Column("adjustment_fen", BigInteger, nullable=False),
    Column("samples_fen", BigInteger, nullable=False, server_default="0"),
    Column("source_id", Uuid, nullable=False),
    CheckConstraint("kind in ('receipt', 'cost_run')", name="kind"),
    Index("stock_moves_lot", "branch_id", "product_id", "lot", "day"),
    Index("stock_moves_day", "day", postgresql_where=text("kind = 'cost_run'")),
)
"""Append-only; a lot's moves sum to its stock. `adjustment_fen` and `samples_fen` are what a run posted for
it to cost of goods and to selling expense."""

cost_runs = Table(
    "cost_runs",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("no", Integer, nullable=False),
    Column("from_day", Date, nullable=False),
    Column("until_day", Date, nullable=False),
    Column("lots", Integer, nullable=False),
    Column("adjustment_fen", BigInteger, nullable=False),
    Column("samples_fen", BigInteger, nullable=False, server_default="0"),
    Column("run_by", Text, nullable=False),
    Column("run_at", INSTANT, nullable=False),
    UniqueConstraint("branch_id", "month", "no"),
)
"""A month may be costed again while it is open; each run posts only what the earlier ones did not."""

below_cost_alerts = Table(
    "below_cost_alerts",
    metadata,
    Column("line_id", Uuid, primary_key=True),
    Column("sale_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    Column("basis", Text, nullable=False),
    Column("sold_by", Text, nullable=False),
    Column("found_at", INSTANT, nullable=False),
    Column("acknowledged_by", Text),
    Column("acknowledged_at", INSTANT),
    Column("reason", Text),
    CheckConstraint("basis in ('till', 'average')", name="basis"),
    Index("below_cost_alerts_branch", "branch_id", "line_id"),
)

below_cost_scan = Table(
    "below_cost_scan",
    metadata,
    Column("one", SmallInteger, CheckConstraint("one = 1", name="one_row"), primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
)
"""The last of finance's own events that was looked at: sequence numbers are given after commit, so none is missed."""

declare(
    metadata,
    changes=("standard_prices", "lot_stock", "below_cost_alerts"),
    working={"below_cost_scan": "how far the search for sales below cost has come"},
)
