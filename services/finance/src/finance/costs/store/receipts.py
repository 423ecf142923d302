"""The rows of purchases: receipts with their lines, what they add to lots, and the prices they are compared with."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import insert, text

from finance.costs.model import Purchase, Reference
from finance.costs.tables import goods_receipt_lines, stock_moves
from shared.lots import canonical
from shared.transaction import Tx

_REFERENCE = """
select kind, price from (
    select 1 as rank, 'standard' as kind, unit_price_fen as price, effective_from as since, null::uuid as id
    from standard_prices where product_id = :product and effective_from <= :day
    union all
    select 2, 'last', unit_price_fen, booked_on, goods_receipt_id
    from goods_receipt_lines where product_id = :product and booked_on <= :day
) known order by rank, since desc, id desc limit 1
"""


def reference(tx: Tx, product_id: str, day: date) -> Reference | None:
    """The standard price in force, else the last price paid; None for a product bought for the first time."""
    row = tx.conn.execute(text(_REFERENCE), {"product": product_id, "day": day}).one_or_none()
    return None if row is None else Reference(row.kind, row.price)


def add_receipt(tx: Tx, receipt_id: UUID, said: Purchase, booked_on: date) -> bool:
    """A purchase without its lines; false when the supplier's invoice is booked."""
    added = tx.conn.execute(
        text(
            "insert into goods_receipts (goods_receipt_id, branch_id, supplier_id, invoice_no, received_on,"
            " booked_on, net_fen, tax_fen, recorded_by, recorded_at) values (:id, :branch, :supplier, :invoice,"
            " :received_on, :booked_on, :net, :tax, :person, :now)"
            " on conflict (supplier_id, invoice_no) do nothing"
        ),
        {
            "id": receipt_id,
            "branch": said.branch_id,
            "supplier": said.supplier_id,
            "invoice": said.invoice_no,
            "received_on": said.received_on,
            "booked_on": booked_on,
            "net": said.net_fen,
            "tax": said.tax_fen,
            "person": tx.actor.id,
            "now": tx.now,
        },
    )
    return bool(added.rowcount)


def add_lines(
    tx: Tx, receipt_id: UUID, said: Purchase, booked_on: date, references: Sequence[Reference | None]
) -> None:
    """The lines of a purchase, each with the price it is compared with."""
    tx.conn.execute(
        insert(goods_receipt_lines),
        [
            {
                "goods_receipt_id": receipt_id,
                "no": no,
                "booked_on": booked_on,
                "branch_id": said.branch_id,
                "supplier_id": said.supplier_id,
                "product_id": line.product_id,
                "lot": line.lot,
                "expiry": line.expiry,
                "quantity": line.quantity,
                "unit_price_fen": line.unit_price,
                "net_fen": line.net_fen,
                "tax_bp": line.tax_bp,
                "tax_fen": line.tax_fen,
                "reference": reference and reference.kind,
                "reference_price_fen": reference and reference.price_fen,
            }
            for no, (line, reference) in enumerate(zip(said.lines, references, strict=True), 1)
        ],
    )


def add_to_stock(tx: Tx, receipt_id: UUID, said: Purchase, booked_on: date) -> None:
    """One row per lot, made when missing; taken in order, so that two receipts never deadlock."""
    by_lot: dict[tuple[str, str, str], list[int]] = {}
    for line in said.lines:
        sums = by_lot.setdefault((said.branch_id, line.product_id, canonical(line.lot)), [0, 0])
        sums[0] += line.quantity
        sums[1] += line.net_fen
    for (branch, product, lot), (quantity, value) in sorted(by_lot.items()):
        tx.conn.execute(
            text(
                "insert into lot_stock as s (branch_id, product_id, lot, quantity, value_fen)"
                " values (:branch, :product, :lot, :quantity, :value)"
                " on conflict (branch_id, product_id, lot) do update"
                " set quantity = s.quantity + excluded.quantity, value_fen = s.value_fen + excluded.value_fen"
            ),
            {"branch": branch, "product": product, "lot": lot, "quantity": quantity, "value": value},
        )
        tx.conn.execute(
            insert(stock_moves).values(
                branch_id=branch,
                product_id=product,
                lot=lot,
                day=booked_on,
                kind="receipt",
                quantity=quantity,
                value_fen=value,
                adjustment_fen=0,
                source_id=receipt_id,
            )
        )


def set_standard_price(tx: Tx, product_id: str, effective_from: date, unit_price_fen: int) -> None:
    """Replaces that of the same day."""
    tx.conn.execute(
        text(
            "insert into standard_prices (product_id, effective_from, unit_price_fen, set_by, set_at)"
            " values (:product, :since, :price, :person, :now) on conflict (product_id, effective_from)"
            " do update set unit_price_fen = excluded.unit_price_fen, set_by = excluded.set_by,"
            " set_at = excluded.set_at"
        ),
        {
            "product": product_id,
            "since": effective_from,
            "price": unit_price_fen,
            "person": tx.actor.id,
            "now": tx.now,
        },
    )
