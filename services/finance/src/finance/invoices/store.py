"""The statements that keep invoices, and what is known of sales when one is recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from finance import refunds, sold, trade_permissions
from finance.invoices.model import Invoice
from finance.invoices.rules import Fen, Position, Rates
from finance.invoices.tables import invoice_amounts, invoices
from finance.sold import Sold
from shared.transaction import Tx


def invoice(tx: Tx, invoice_id: UUID) -> Invoice | None:
    columns = [invoices.c[each.name] for each in fields(Invoice)]
    row = tx.conn.execute(select(*columns).where(invoices.c.invoice_id == invoice_id)).one_or_none()
    return None if row is None else Invoice(**row._asdict())


def is_institution(tx: Tx, customer_id: UUID) -> bool:
    """Raises CustomerUnknown, CustomerNotYetKnown."""
    kind = tx.conn.execute(
        text(f"select p.kind from {trade_permissions.KINDS} p where p.customer_id = :id"), {"id": customer_id}
    ).scalar_one_or_none()
    if kind is None:
        trade_permissions.require_told(tx, {customer_id})
    return bool(kind != "patient")


def positions(tx: Tx, sales: Sequence[Sold]) -> dict[UUID, Position]:
    ids = [sale.sale_id for sale in sales]
    of_sales = _by_sale(
        tx,
        f"select l.sale_id, l.tax_bp, sum(l.net_fen)::bigint, sum(l.tax_fen)::bigint from {sold.LINES} l"
        " where l.sale_id = any(:ids) and l.booked_on = any(:days) group by 1, 2",
        ids=ids,
        days=sorted({sale.booked_on for sale in sales}),
    )
    came_back = returned(tx, ids)
    of_colour = (
        "select a.sale_id, a.tax_bp, sum(a.net_fen)::bigint, sum(a.tax_fen)::bigint from invoice_amounts a"
        " join invoices i using (invoice_id) where a.sale_id = any(:ids) and i.colour = :colour group by 1, 2"
    )
    blue = _by_sale(tx, of_colour, ids=ids, colour="blue")
    red = _by_sale(tx, of_colour, ids=ids, colour="red")
    return {
        sale: Position(
            sold=of_sales.get(sale, {}),
            returned=came_back.get(sale, {}),
            blue=blue.get(sale, {}),
            red=red.get(sale, {}),
        )
        for sale in ids
    }


def returned(tx: Tx, sale_ids: Sequence[UUID], refund_id: UUID | None = None) -> dict[UUID, dict[int, Fen]]:
    """What came back of sales, of one refund or of all."""
    return _by_sale(
        tx,
        "select b.sale_id, l.tax_bp, sum(b.net_fen)::bigint, sum(b.tax_fen)::bigint"
        f" from {refunds.RETURNED_LINES} b"
        f" join {sold.LINES_BY_SALE} l on l.sale_id = b.sale_id and l.line_id = b.sale_line_id"
        " where b.sale_id = any(:ids) and (cast(:refund as uuid) is null or b.refund_id = :refund) group by 1, 2",
        ids=list(sale_ids),
        refund=refund_id,
    )


def _by_sale(tx: Tx, sql: str, **values: object) -> dict[UUID, dict[int, Fen]]:
    found: dict[UUID, dict[int, Fen]] = {}
    for sale_id, tax_bp, net, tax in tx.conn.execute(text(sql), values):
        found.setdefault(sale_id, {})[tax_bp] = Fen(net, tax)
    return found


def amounts(tx: Tx, invoice_id: UUID) -> dict[UUID, dict[int, Fen]]:
    return _by_sale(
        tx,
        "select sale_id, tax_bp, net_fen, tax_fen from invoice_amounts where invoice_id = :id",
        id=invoice_id,
    )


def taken_back(tx: Tx, invoice_id: UUID) -> dict[UUID, dict[int, Fen]]:
    """What red invoices took back of a blue one."""
    return _by_sale(
        tx,
        "select a.sale_id, a.tax_bp, sum(a.net_fen)::bigint, sum(a.tax_fen)::bigint from invoice_amounts a"
        " join invoices i using (invoice_id) where i.reverses = :id group by 1, 2",
        id=invoice_id,
    )


def red_of_refund(tx: Tx, refund_id: UUID) -> dict[int, Fen]:
    rows = tx.conn.execute(
        text(
            "select a.tax_bp, sum(a.net_fen)::bigint, sum(a.tax_fen)::bigint from invoice_amounts a"
            " join invoices i using (invoice_id) where i.refund_id = :id group by 1"
        ),
        {"id": refund_id},
    )
    return {bp: Fen(net, tax) for bp, net, tax in rows}


def add(tx: Tx, kept: Invoice, covered: Mapping[UUID, Rates]) -> bool:
    """False when an invoice of this number is recorded."""
    statement = upsert(invoices).values(asdict(kept)).on_conflict_do_nothing(index_elements=["number"])
    if tx.conn.execute(statement.returning(invoices.c.invoice_id)).first() is None:
        return False
    tx.conn.execute(
        insert(invoice_amounts),
        [
            {
                "invoice_id": kept.invoice_id,
                "sale_id": sale_id,
                "tax_bp": bp,
                "net_fen": fen.net,
                "tax_fen": fen.tax,
            }
            for sale_id, part in covered.items()
            for bp, fen in part.items()
        ],
    )
    return True
