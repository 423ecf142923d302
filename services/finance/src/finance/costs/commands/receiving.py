"""Goods come in: booked against the supplier, added to the lot, compared with the standard or last price.

Source: F1, F5, M26
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from uuid import UUID

from sqlalchemy import insert, text

from finance import entries, lots, periods, taken_invoices
from finance.book import book_of, require_in_books
from finance.costs.model import Purchase, Reference
from finance.costs.rules import (
    PurchaseRateUnknown,
    PurchaseTooLarge,
    ReceivedInFuture,
    SupplierInvoiceTaken,
    receipt_posting,
)
from finance.costs.tables import goods_receipt_lines, stock_moves
from finance.kernel import invoice_number
from finance.kernel.company import require_company
from finance.kernel.receipt import SALE_FEN_MAX
from finance.kernel.vat import rates_on
from finance.lots import Named, Paper, Source
from shared import audit
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.lots import canonical
from shared.transaction import Tx


def receive(tx: Tx, said: Purchase) -> UUID:
    """Book an invoice of a supplier with the goods it is for.

    Per line net = quantity × unit price, tax rounded half up. Booked to the day of receipt, or to today when its
    month is closed. Raises ForeignBranch, ReceivedInFuture, BeforeTheBooks,
    PurchaseRateUnknown, PurchaseTooLarge, SupplierInvoiceTaken, PeriodClosed, LotExpiryContradicts.
    """
    tx.actor.require_branch(said.branch_id)
    today, received_on = business_date(tx.now), said.received_on
    if received_on > today:
        raise ReceivedInFuture(
            "the receipt lies in the future", errors=[{"path": "received_on", "message": "in the future"}]
        )
    require_in_books(tx.conn, received_on)
    rates = rates_on(received_on)
    unknown = [no for no, line in enumerate(said.lines) if line.tax_bp not in rates]
    if unknown:
        raise PurchaseRateUnknown(
            Text("no such VAT rate on {received_on}", received_on=received_on),
            errors=[{"path": f"lines.{no}.tax_bp", "message": "not in force"} for no in unknown],
        )
    booked_on, reference = periods.booking_days(tx, [received_on])[received_on]
    if said.net_fen > SALE_FEN_MAX:
        raise PurchaseTooLarge(
            Text("an invoice is of at most {sale_fen_max} fen without tax", sale_fen_max=SALE_FEN_MAX)
        )
    receipt_id = new_id()
    references = [_reference(tx, line.product_id, received_on) for line in said.lines]
    _write(tx, receipt_id, said, booked_on)
    _tell_expiries(tx, said)
    _write_lines(tx, receipt_id, said, booked_on, references)
    _add_to_stock(tx, receipt_id, said, booked_on)
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=booked_on,
            branch_id=said.branch_id,
            kind="goods_receipt",
            source_id=str(receipt_id),
            postings=receipt_posting(book_of(tx.conn).chart, said.net_fen, said.tax_fen),
            reference=reference,
        ),
    )
    audit.record(tx, "goods_receipt.book", str(receipt_id), after=asdict(said))
    return receipt_id


def _tell_expiries(tx: Tx, said: Purchase) -> None:
    named = [
        Named(line.product_id, line.lot, line.expiry, f"lines.{no}.expiry")
        for no, line in enumerate(said.lines)
        if line.expiry is not None
    ]
    lots.tell(tx, Paper(Source.GOODS_RECEIPT, said.branch_id, said.invoice_no), named)


def _write(tx: Tx, receipt_id: UUID, said: Purchase, booked_on: date) -> None:
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
    if not added.rowcount or not _takes_invoice(tx, receipt_id, said.invoice_no):
        raise SupplierInvoiceTaken("this invoice is booked, or claimed as an expense")


def _write_lines(
    tx: Tx, receipt_id: UUID, said: Purchase, booked_on: date, references: Sequence[Reference | None]
) -> None:
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


def _takes_invoice(tx: Tx, receipt_id: UUID, invoice_no: str) -> bool:
    """Hold a nationwide number against claims and other purchases; any other number is this supplier's alone."""
    return not invoice_number.is_nationwide(invoice_no) or taken_invoices.take(tx, receipt_id, invoice_no)


_REFERENCE = """
select kind, price from (
    select 1 as rank, 'standard' as kind, unit_price_fen as price, effective_from as since, null::uuid as id
    from standard_prices where product_id = :product and effective_from <= :day
    union all
    select 2, 'last', unit_price_fen, booked_on, goods_receipt_id
    from goods_receipt_lines where product_id = :product and booked_on <= :day
) known order by rank, since desc, id desc limit 1
"""


def _reference(tx: Tx, product_id: str, day: date) -> Reference | None:
    """The standard price in force, else the last price paid; None for a product bought for the first time."""
    row = tx.conn.execute(text(_REFERENCE), {"product": product_id, "day": day}).one_or_none()
    return None if row is None else Reference(row.kind, row.price)


def _add_to_stock(tx: Tx, receipt_id: UUID, said: Purchase, booked_on: date) -> None:
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
    """The price purchases are compared with from a day on; said again for the same day, it is replaced.

    It holds in every branch. Raises CompanyNotCovered.
    """
    require_company(tx.actor)
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
    audit.record(tx, "standard_price.set", product_id, after=[effective_from, unit_price_fen])
