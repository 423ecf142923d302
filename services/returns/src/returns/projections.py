"""What finance says was sold, kept here so that a return is decided without asking anybody.

A sale never changes, so the projection only inserts: any order and any repetition give the same rows.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from returns.subscriptions import CustomerRegistered, SalePosted
from shared.clock import month_of
from shared.events import Envelope
from shared.partitions import see_months
from shared.transaction import Tx

_INSERT = """
    insert into sold_lines (sale_day, sale_id, sale_line_id, lot, branch_id, receipt_number, customer_id, sold_at,
        product_id, category, temp_class, expiry, quantity, net_fen, tax_fen, cost_fen)
    select * from unnest(%s::date[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
        %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::date[], %s::int[], %s::bigint[], %s::bigint[],
        %s::bigint[]) as sold
    order by 1, 2, 3, 4
    on conflict do nothing
"""


def on_sales_posted(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Insert the lines of every sale in one statement. Raises msgspec.ValidationError."""
    rows = [row for envelope in envelopes for row in _rows_of(envelope)]
    if not rows:
        return
    see_months(tx.conn, {month_of(row[0]) for row in rows})
    _cursor(tx).execute(_INSERT, [list(column) for column in zip(*rows, strict=True)])


def on_customers_registered(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """A customer's kind is settled when it is registered and never changes. Raises msgspec.ValidationError."""
    told = [msgspec.convert(each.data, CustomerRegistered) for each in envelopes]
    _cursor(tx).execute(
        "insert into customer_kinds (customer_id, kind) select * from unnest(%s::text[], %s::text[])"
        " order by 1 on conflict do nothing",
        ([each.customer_id for each in told], [each.kind for each in told]),
    )


def _rows_of(envelope: Envelope) -> list[tuple[Any, ...]]:
    sale = msgspec.convert(envelope.data, SalePosted)
    return [
        (
            sale.business_date,
            sale.sale_id,
            line.line_id,
            line.lot,
            sale.branch_id,
            sale.receipt_number,
            sale.customer_id,
            sale.sold_at,
            line.product_id,
            line.category,
            line.temp_class,
            line.expiry,
            line.quantity,
            line.net_fen,
            line.tax_fen,
            line.cost_fen,
        )
        for line in sale.lines
    ]


def _cursor(tx: Tx) -> Any:
    return tx.conn.connection.driver_connection.cursor()  # type: ignore[union-attr]
