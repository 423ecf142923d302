"""Record the invoices that the tax office's system issued: blue ones of sales, red ones that take them back.

Sales are locked in the order of their ids, as refunds lock them, so a sale is never invoiced twice.
Source: F15, F22
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from uuid import UUID

from finance import refunds, sold
from finance.invoices import rules, store
from finance.invoices.events import invoice_issued
from finance.invoices.model import Blue, Invoice, Red
from finance.invoices.rules import NOTHING, Fen, Rates
from finance.sold import Sold
from shared import audit, outbox
from shared.clock import business_date, month_of, new_id
from shared.languages import Text
from shared.transaction import Tx


def issue(tx: Tx, said: Blue) -> UUID:
    """Record a blue invoice of one sale, or of several of one customer in one branch and month.

    Raises ForeignBranch, InvoiceSaleUnknown, InvoiceSalesMixed, InvoiceSpecialUnfit, CustomerUnknown, CustomerNotYetKnown,
    InvoiceDayUnfit, InvoiceNumberUnfit, InvoiceNumberUsed, InvoiceExceedsSale, InvoiceAmountsDiffer.
    """
    sales = _lock_sales(tx, sorted(said.sales))
    branch_id, customer_id = _of_one_buyer(sales)
    if said.kind == "special" and (customer_id is None or not store.is_institution(tx, customer_id)):
        raise rules.InvoiceSpecialUnfit("a special invoice is issued to an institution")
    _require_day(tx, said.issued_on, max(sale.business_date for sale in sales))
    covered = rules.blue(store.positions(tx, sales), said.sales)
    rates = rules.summed(covered.values())
    rules.require_stated(rates, said.rates)
    invoice = _invoice(tx, said, rates, said.kind, branch_id, customer_id)
    return _keep(tx, invoice, covered, rates)


def issue_red(tx: Tx, invoice_id: UUID, said: Red) -> UUID:
    """Record the red invoice that takes back a blue one: for goods that came back, or all of it for an error.

    Raises InvoiceUnknown, InvoiceNotBlue, InvoiceRefundUnknown, InvoiceDayUnfit, InvoiceNumberUnfit,
    InvoiceNumberUsed, InvoiceRedExceeds, InvoiceAmountsDiffer.
    """
    blue = store.invoice(tx, invoice_id)
    if blue is None or not tx.actor.may_see(blue.branch_id):
        raise rules.InvoiceUnknown("no such invoice")
    if blue.colour != "blue":
        raise rules.InvoiceNotBlue("only a blue invoice is taken back")
    _require_day(tx, said.issued_on, blue.issued_on)
    amounts = store.amounts(tx, invoice_id)
    sales = _lock_sales(tx, sorted(amounts))
    left = _left_of_blue(tx, invoice_id, amounts)
    if said.refund_id is None:
        covered = {sale: rates for sale, rates in left.items() if rates}
        if not covered:
            raise rules.InvoiceRedExceeds("all of this invoice was taken back", most=[])
        rules.require_stated(rules.summed(covered.values()), said.rates)
    else:
        sale_id = _sale_of_refund(tx, said.refund_id, amounts)
        covered = {sale_id: _came_back(tx, said.refund_id, sale_id, said.rates, sales, left[sale_id])}
    rates = rules.summed(covered.values())
    invoice = replace(
        _invoice(tx, said, rates, blue.kind, blue.branch_id, blue.customer_id),
        colour="red",
        reverses=invoice_id,
        reason="error" if said.refund_id is None else "return",
        refund_id=said.refund_id,
    )
    return _keep(tx, invoice, covered, rates)


def _came_back(
    tx: Tx, refund_id: UUID, sale_id: UUID, stated: Rates, sales: Sequence[Sold], left: Rates
) -> dict[int, Fen]:
    """What is stated of a refund. Raises InvoiceRedExceeds when it is more than came back, or than the sale leaves."""
    came_back = rules.summed(
        [
            store.returned(tx, [sale_id], refund_id).get(sale_id, {}),
            _negative(store.red_of_refund(tx, refund_id)),
        ]
    )
    position = store.positions(tx, sales)[sale_id]
    wanted = {bp: fen for bp, fen in stated.items() if fen != NOTHING}
    rules.require_red(wanted, [came_back, position.too_much(), left])
    return wanted


def _require_day(tx: Tx, issued_on: date, first: date) -> None:
    if not first <= issued_on <= business_date(tx.now):
        raise rules.InvoiceDayUnfit(
            Text("an invoice of this is issued from {first} until today", first=first)
        )


def _lock_sales(tx: Tx, sale_ids: Sequence[UUID]) -> list[Sold]:
    """Raises InvoiceSaleUnknown, also for a branch the token does not cover."""
    found = sold.lock(tx.conn, sale_ids)
    if len(found) < len(sale_ids) or any(not tx.actor.may_see(each.branch_id) for each in found):
        raise rules.InvoiceSaleUnknown("a sale of the invoice is not there")
    return found


def _of_one_buyer(sales: Sequence[Sold]) -> tuple[str, UUID | None]:
    buyers = {(sale.branch_id, sale.customer_id, month_of(sale.business_date)) for sale in sales}
    [(branch_id, customer_id, _), *others] = buyers
    if others or (customer_id is None and len(sales) > 1):
        raise rules.InvoiceSalesMixed("several sales on one invoice are of one customer, branch and month")
    return branch_id, customer_id


def _left_of_blue(
    tx: Tx, invoice_id: UUID, said: Mapping[UUID, dict[int, Fen]]
) -> dict[UUID, dict[int, Fen]]:
    taken = store.taken_back(tx, invoice_id)
    return {sale: rules.summed([rates, _negative(taken.get(sale, {}))]) for sale, rates in said.items()}


def _negative(rates: Rates) -> dict[int, Fen]:
    return {bp: NOTHING - fen for bp, fen in rates.items()}


def _sale_of_refund(tx: Tx, refund_id: UUID, said: Mapping[UUID, Rates]) -> UUID:
    sale_id = refunds.sale_of(tx.conn, refund_id)
    if sale_id is None or sale_id not in said:
        raise rules.InvoiceRefundUnknown("the invoice has no sale of this refund")
    return sale_id


def _invoice(
    tx: Tx, said: Blue | Red, rates: Rates, kind: str, branch_id: str, customer_id: UUID | None
) -> Invoice:
    """A blue invoice of this content. Raises InvoiceNumberUnfit."""
    rules.require_number(said.number, said.issued_on)
    net = sum(fen.net for fen in rates.values())
    tax = sum(fen.tax for fen in rates.values())
    return Invoice(
        invoice_id=new_id(),
        number=said.number,
        kind=kind,
        colour="blue",
        branch_id=branch_id,
        customer_id=customer_id,
        issued_on=said.issued_on,
        net_fen=net,
        tax_fen=tax,
        total_fen=net + tax,
        keep_until=rules.keep_until(said.issued_on),
        issued_by=tx.actor.id,
        issued_at=tx.now,
    )


def _keep(tx: Tx, invoice: Invoice, covered: Mapping[UUID, Rates], rates: Rates) -> UUID:
    if not store.add(tx, invoice, covered):
        raise rules.InvoiceNumberUsed("an invoice of this number is recorded")
    outbox.append(
        tx,
        invoice_issued(
            invoice_id=str(invoice.invoice_id),
            number=invoice.number,
            kind=invoice.kind,
            colour=invoice.colour,
            reverses=_text(invoice.reverses),
            branch_id=invoice.branch_id,
            customer_id=_text(invoice.customer_id),
            sale_ids=sorted(str(sale_id) for sale_id in covered),
            rates=rates,
            issued_on=invoice.issued_on,
        ),
    )
    audit.record(tx, f"invoice.{invoice.colour}", str(invoice.invoice_id), after=asdict(invoice))
    return invoice.invoice_id


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
