"""Goods come in: booked against the supplier, added to the lot, compared with the standard or last price.

Source: F1, F5, M26
"""

from dataclasses import asdict
from datetime import date
from uuid import UUID

from finance import entries, lots, periods, taken_invoices
from finance.book import book_of, require_in_books
from finance.costs.events import goods_received
from finance.costs.model import Purchase
from finance.costs.rules import (
    PurchaseRateUnknown,
    PurchaseTooLarge,
    ReceivedInFuture,
    SupplierInvoiceTaken,
    receipt_posting,
)
from finance.costs.store import receipts as store
from finance.kernel import invoice_number
from finance.kernel.company import require_company
from finance.kernel.receipt import SALE_FEN_MAX
from finance.kernel.vat import rates_on
from finance.lots import Named, Paper, Source
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.transaction import Tx


def receive(tx: Tx, said: Purchase) -> UUID:
    """Book an invoice of a supplier with the goods it is for.

    Per line net = quantity × unit price, tax rounded half up. Booked to the day of receipt, or to today when its
    month is closed. Raises ForeignBranch, ReceivedInFuture, BeforeTheBooks,
    PurchaseRateUnknown, PurchaseTooLarge, SupplierInvoiceTaken, PeriodClosed, LotExpiryContradicts.
    """
    tx.actor.require_branch(said.branch_id)
    _require_bookable(tx, said)
    received_on = said.received_on
    booked_on, reference = periods.booking_days(tx, [received_on])[received_on]
    receipt_id = new_id()
    references = [store.reference(tx, line.product_id, received_on) for line in said.lines]
    if not store.add_receipt(tx, receipt_id, said, booked_on) or not _takes_invoice(
        tx, receipt_id, said.invoice_no
    ):
        raise SupplierInvoiceTaken("this invoice is booked, or claimed as an expense")
    _tell_expiries(tx, said)
    store.add_lines(tx, receipt_id, said, booked_on, references)
    store.add_to_stock(tx, receipt_id, said, booked_on)
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
    outbox.append(tx, goods_received(receipt_id, said, references, booked_on))
    audit.record(tx, "goods_receipt.book", str(receipt_id), after=asdict(said))
    return receipt_id


def _require_bookable(tx: Tx, said: Purchase) -> None:
    """Raises ReceivedInFuture, BeforeTheBooks, PurchaseRateUnknown, PurchaseTooLarge."""
    received_on = said.received_on
    if received_on > business_date(tx.now):
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
    if said.net_fen > SALE_FEN_MAX:
        raise PurchaseTooLarge(
            Text("an invoice is of at most {sale_fen_max} fen without tax", sale_fen_max=SALE_FEN_MAX)
        )


def _tell_expiries(tx: Tx, said: Purchase) -> None:
    named = [
        Named(line.product_id, line.lot, line.expiry, f"lines.{no}.expiry")
        for no, line in enumerate(said.lines)
        if line.expiry is not None
    ]
    lots.tell(tx, Paper(Source.GOODS_RECEIPT, said.branch_id, said.invoice_no), named)


def _takes_invoice(tx: Tx, receipt_id: UUID, invoice_no: str) -> bool:
    """Hold a nationwide number against claims and other purchases; any other number is this supplier's alone."""
    return not invoice_number.is_nationwide(invoice_no) or taken_invoices.take(tx, receipt_id, invoice_no)


def set_standard_price(tx: Tx, product_id: str, effective_from: date, unit_price_fen: int) -> None:
    """The price purchases are compared with from a day on; said again for the same day, it is replaced.

    It holds in every branch. Raises CompanyNotCovered.
    """
    require_company(tx.actor)
    store.set_standard_price(tx, product_id, effective_from, unit_price_fen)
    audit.record(tx, "standard_price.set", product_id, after=[effective_from, unit_price_fen])
