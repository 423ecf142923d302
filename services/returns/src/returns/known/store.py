"""What finance says was sold, kept here so that a return is decided without asking anybody.

A sale never changes, so the projection only inserts: any order and any repetition give the same rows.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import select, text

from returns.known.model import (
    CUSTOMER_REGISTERED,
    SALE_POSTED,
    CustomerRegistered,
    Refunded,
    SalePosted,
    Sold,
)
from returns.known.tables import sold_lines
from shared import awaited, watermark
from shared.clock import month_of
from shared.errors import Unavailable
from shared.events import Envelope
from shared.languages import Text
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


def on_refunds_paid(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Remember which receipts were voided, whether their sales are known yet or not. Raises msgspec.ValidationError."""
    told = [msgspec.convert(each.data, Refunded) for each in envelopes]
    voided = sorted({each.sale_id for each in told if each.kind == "void"})
    if voided:
        _cursor(tx).execute(
            "insert into voided_sales (sale_id) select unnest(%s::text[]) on conflict do nothing", (voided,)
        )


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


RETRY_AFTER_S = 5
"""A sale is called unknown only if finance's head was asked no longer ago."""


def find_sold_lines(tx: Tx, *, branch_id: str, sale_id: str | None, receipt_number: str | None) -> list[Sold]:
    """The lines sold under that sale or receipt by that branch; none when it is not known here."""
    wanted = select(*(sold_lines.c[name] for name in Sold.__struct_fields__)).where(
        sold_lines.c.branch_id == branch_id
    )
    if sale_id is not None:
        wanted = wanted.where(sold_lines.c.sale_id == sale_id)
    if receipt_number is not None:
        wanted = wanted.where(sold_lines.c.receipt_number == receipt_number)
    rows = tx.conn.execute(wanted.order_by(sold_lines.c.sale_line_id, sold_lines.c.lot)).mappings()
    return [Sold(**row) for row in rows]


def is_voided(tx: Tx, sale_id: str) -> bool:
    """Whether the receipt was voided: its goods never left the counter."""
    asked = text("select exists (select from voided_sales where sale_id = :id)")
    return bool(tx.conn.execute(asked, {"id": sale_id}).scalar_one())


class ProjectionBehind(Unavailable):
    """The sale, or its customer, may exist: this service has not heard yet of everything."""

    code = "projection_behind"
    cure = "Ask again after `Retry-After` seconds: the event is on its way."


def require_no_sale(tx: Tx, *, branch_id: str, sale_id: str | None, receipt_number: str | None) -> None:
    """Before saying that there is no such sale. Raises ProjectionBehind while it may be on its way.

    A number on a receipt does not tell when the sale was made: it must have been heard of since it was asked for.
    """
    if sale_id is not None:
        _require_caught_up(tx, "finance", SALE_POSTED, "sale", sale_id)
    elif not awaited.is_unknown(tx, "finance", f"receipt {branch_id} {receipt_number}", types=[SALE_POSTED]):
        raise _behind("sale")


def require_no_customer(tx: Tx, customer_id: str) -> None:
    """Before saying that there is no such customer. Raises ProjectionBehind while it may be on its way."""
    _require_caught_up(tx, "customers", CUSTOMER_REGISTERED, "customer", customer_id)


def _require_caught_up(tx: Tx, source: str, event_type: str, what: str, about: str) -> None:
    if not watermark.is_caught_up(tx.conn, source, now=tx.now, types=[event_type], about=about):
        raise _behind(what)


def _behind(what: str) -> ProjectionBehind:
    return ProjectionBehind(
        Text("that {what} is not known here yet; ask again", what=what), retry_after_s=RETRY_AFTER_S
    )


def find_customer_kind(tx: Tx, customer_id: str) -> str | None:
    """`patient`, `hospital`, …, or None for a customer nobody told us of."""
    kind: str | None = tx.conn.execute(
        text("select kind from customer_kinds where customer_id = :id"), {"id": customer_id}
    ).scalar()
    return kind
