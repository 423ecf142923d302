"""Post a sale, in the caller's transaction.

Source: F1, F15, F24
"""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from finance import (
    channel_transactions,
    credit,
    lots,
    periods,
    points,
    prices,
    product_checks,
    receipts,
    stop_sales,
    trade_permissions,
)
from finance.book import book_of
from finance.kernel.period import PeriodClosed, month_text
from finance.kernel.posting import PostingLine
from finance.kernel.receipt import Receipt, credit_in, payment_of
from finance.kernel.sale import Booked, PricedSale
from finance.lots import Paper, Source
from finance.sales.rules.pricing import book_sale, price
from finance.sales.store import one
from shared.clock import business_date
from shared.errors import Conflict
from shared.languages import Text
from shared.transaction import Tx


class ReceiptNumberReused(Conflict):
    """The branch used this number for another receipt."""

    code = "receipt_number_reused"
    cure = "Give the receipt a number of its own; a repetition is sent with the same content."


class Granted(Struct, frozen=True):
    """What the order that a sale ships was granted before: its prices, its credit, and when it is to be paid.

    With `order_id` the sale draws on what the order holds of the customer's credit.
    """

    terms: str | None = None
    order_id: UUID | None = None


def post_sale(tx: Tx, receipt: Receipt, *, granted: Granted | None = None) -> Booked | receipts.Known:
    """Write the sale with its entry and event; a receipt sent before comes back as `Known`.

    It is booked to its business date; when that month is closed, a receipt marked `late` is booked to today.
    A shipment passes what its order was granted; every other wholesale is held against the price floor here.
    Raises ForeignBranch, the refusals of a receipt and of trade_permissions, PeriodClosed,
    ReceiptNumberReused, ProductContradictsCatalogue, ProductUnknown, PriceBelowFloor, the refusals of credit, LotStopped,
    LotExpiryContradicts, ChannelTransactionReused, those of points.
    """
    tx.actor.require_branch(receipt.branch_id)
    book = book_of(tx.conn)
    priced = price(receipt, now=tx.now, begins_on=book.begins_on)
    # before the month is held and the debt is written: the lock comes first, and the debt is not counted twice
    position = credit.look(tx, receipt.customer_id) if credit_in(receipt) else None
    payment = payment_of(receipt)
    points_lines: Sequence[PostingLine] = ()
    if payment is not None:
        points.lock(tx.conn, payment)
        known = receipts.find_receipt(tx.conn, receipt.branch_id, receipt.receipt_number)
        if known is not None:
            return same_receipt(known, priced)
        points_lines = points.lines_of(tx, receipt, payment, book.chart)
    days = [priced.business_date]
    if receipt.late:
        days.append(business_date(tx.now))
    for day in days:
        booked = book_sale(priced, day, book.chart, None if granted is None else granted.terms, points_lines)
        written = one.add_sale(tx, booked)
        if written.period_state is None:
            periods.ensure_month(tx.conn, day)
            written = one.add_sale(tx, booked)
        if written.added:
            door = product_checks.Door.SALE if granted is None else product_checks.Door.SHIPMENT
            named = product_checks.Paper(door, receipt.branch_id, receipt.receipt_number)
            product_checks.judge_sale(tx, named, priced, written.products)
            channel_transactions.refuse_reused(tx.conn, receipt, is_reused=written.is_paid_by_another)
            trade_permissions.check(tx, written.permission, receipt, priced.business_date)
            if position is not None:
                order_id = None if granted is None else granted.order_id
                credit.draw(tx, position, order_id=order_id, fen=credit_in(receipt))
            stop_sales.refuse(written.stopped)
            if written.tells:
                source = Source.SALE if granted is None else Source.SHIPMENT
                paper = Paper(source, receipt.branch_id, receipt.receipt_number)
                lots.tell(tx, paper, lots.of_lines(receipt.lines))
            if payment is not None and payment.redemption_id is not None:
                points.redeem(tx.conn, payment.redemption_id, booked.sale_id, booked.booked_on)
            if granted is None:
                prices.require(tx.conn, priced, written.permission)
            return booked
        known = receipts.find_receipt(tx.conn, receipt.branch_id, receipt.receipt_number)
        if known is not None:
            return same_receipt(known, priced)
    raise refuse_closed(priced)


def same_receipt(known: receipts.Known, priced: PricedSale) -> receipts.Known:
    """Raises ReceiptNumberReused when the number stands for another receipt."""
    if known.content_hash != priced.content_hash:
        raise ReceiptNumberReused("this branch used the number for another receipt", sale_id=known.sale_id)
    return known


def refuse_closed(priced: PricedSale) -> PeriodClosed:
    return PeriodClosed(
        Text(
            "{month} is closed; send `late: true` to book the receipt to today",
            month=month_text(priced.business_date),
        )
    )
