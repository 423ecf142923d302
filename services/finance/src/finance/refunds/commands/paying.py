"""How a refund that was approved is paid: at the counter, at finance's desk, out of a drawer.

Who approves does not pay. Every payment locks the refund's row first, so two payments of one part never meet.
Source: F22, I35, model 3.2 (Refund)
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from finance import allocations, cash, entries, open_items, periods, points
from finance.book import book_of
from finance.kernel import posting
from finance.kernel.posting import PostingLine
from finance.kernel.receipt import Tender
from finance.refunds import rules
from finance.refunds.commands.steps import Result, each_alone, require_another
from finance.refunds.events import refund_paid
from finance.refunds.rules import Part, Payment, State
from finance.refunds.store import held
from finance.refunds.store.held import Refund
from shared import outbox
from shared.clock import business_date, new_id
from shared.transaction import Tx


def pay(tx: Tx, refund_id: UUID, payments: Sequence[Payment], paid_on: date | None = None) -> None:
    """Pay parts of a refund, cash out of the safe. The last part makes it paid, and tells it.

    Raises RefundUnknown, RefundNotAwaited, RefundChanged, SamePerson, RoleNotAwaited, RefundPartUnknown,
    RefundPartPaid, RefundReferenceUnfit, RefundReferenceUsed, RefundDayUnfit, PeriodClosed, and what cash asks.
    """
    refund = held.find(tx, refund_id)
    named = {each.tender for each in payments}
    cash_fen = sum(part.fen for part in refund.parts if part.tender in named and part.means == Tender.CASH)
    if cash_fen:
        # before the refund is locked: cash locks its branch first, everywhere
        cash.before_safe_pays(tx, refund.branch_id, cash_fen)
    _pay(tx, refund_id, payments, paid_on, frozenset(tx.actor.roles))


def pay_all(tx: Tx, wanted: Sequence[tuple[UUID, Sequence[Payment]]], paid_on: date | None) -> list[Result]:
    """The payments of a day's list, each refund for itself. Cash is paid at the counter, never here.

    A list with a strange id is refused whole. Raises RefundUnknown.
    """
    by_id = dict(wanted)
    held.require_known(tx, list(by_id))
    roles = frozenset(tx.actor.roles) - set(rules.COUNTER)
    sale_ids = held.hold(tx.conn, list(by_id))
    # debts and points in their own order, so that two lists never wait for each other
    open_items.lock_of_sales(tx.conn, sale_ids)
    points.hold(tx.conn, sale_ids)
    return each_alone(
        tx, sorted(by_id), lambda refund_id: _pay(tx, refund_id, by_id[refund_id], paid_on, roles)
    )


def pay_from_drawer(tx: Tx, session_id: UUID, refund_id: UUID) -> cash.Movement:
    """Pay the cash part of an approved refund out of this drawer; of one the safe paid, say that this drawer did.

    Only who paid it says so, of a drawer that was open then: nobody else's cash is moved to the safe's shortage.
    Raises SessionNotOpen, RefundNotPayable, DrawerShort, and for an unpaid one what `pay` asks.
    """
    session = cash.open_held(tx, session_id)
    found = held.cash_part(tx, refund_id, session.branch_id)
    if found is None or cash.has_paid(tx, refund_id):
        raise rules.RefundNotPayable("no refund of this branch awaits its cash")
    if found.paid_at is not None and (found.paid_by != tx.actor.id or found.paid_at < session.opened_at):
        raise rules.RefundNotPayable("the safe paid it, and only who paid says that this open drawer did")
    cash.require_in_drawer(tx, session, found.fen)
    if found.paid_at is None:
        _pay(tx, refund_id, [Payment(tender=Tender.CASH)], None, frozenset(tx.actor.roles))
    return cash.pay_out(tx, session, found.fen, refund_id)


def _pay(
    tx: Tx, refund_id: UUID, payments: Sequence[Payment], paid_on: date | None, roles: frozenset[str]
) -> None:
    refund = held.lock(tx, refund_id)
    rules.require("pay", refund.state)
    if refund.approved_hash != refund.subject_hash:
        raise rules.RefundChanged("this is not what was approved")
    require_another(tx, refund)
    today = business_date(tx.now)
    wanted = [(rules.to_pay(refund.parts, each), each) for each in payments]
    has_cash = any(part.means == Tender.CASH for part, _ in wanted)
    day = paid_on or today
    if not min(refund.booked_on, today) <= day <= today or (has_cash and day != today):
        raise rules.RefundDayUnfit("the day lies before the debt or after today, or is not today's for cash")
    booking = periods.booking_days(tx, {day})[day]
    for part, payment in wanted:
        rules.require_payer(part, roles, refund.kind)
        _settle(tx, refund, part, payment, booking)
    paid = {each.tender for each in payments}
    if all(part.is_paid or part.tender in paid for part in refund.parts):
        _finish(tx, refund, held.last_paid_on(tx, refund_id))
    else:
        held.advance(tx, refund, State.PAYING, "paying", {"tenders": sorted(paid)})


def _settle(tx: Tx, refund: Refund, part: Part, payment: Payment, booking: tuple[date, str | None]) -> None:
    """Keep and book the payment of one part."""
    payment_id = new_id()
    booked_on, reference = booking
    if not held.add_payment(
        tx, refund, part, payment_id=payment_id, reference=payment.reference, booked_on=booked_on
    ):
        raise rules.RefundReferenceUsed("another refund was paid under this reference")
    entry = entries.NewEntry(
        booked_on=booked_on,
        branch_id=refund.branch_id,
        kind="refund_paid",
        source_id=str(payment_id),
        postings=_postings(tx, refund, part),
        customer_id=None if refund.customer_id is None else str(refund.customer_id),
        reference=reference,
    )
    entries.add_entry(tx, entry)
    if part.means == Tender.CREDIT:
        allocations.match_refund(tx, refund_id=payment_id, sale_id=refund.sale_id, on=booked_on)


def _postings(tx: Tx, refund: Refund, part: Part) -> Sequence[PostingLine]:
    chart = book_of(tx.conn).chart
    if part.means != Tender.POINTS:
        return posting.refund_paid(chart, [(part.means, part.fen)])
    back = points.give_back(tx.conn, chart, refund_id=refund.refund_id, sale_id=refund.sale_id, fen=part.fen)
    return back.postings


def _finish(tx: Tx, refund: Refund, booked_on: date) -> None:
    """Nothing of it is owed any more: say so."""
    version = held.advance(tx, refund, State.PAID, "paid", {}, paid_on=booked_on, paid_at=tx.now)
    outbox.append(
        tx,
        refund_paid(
            refund_id=str(refund.refund_id),
            kind=refund.kind,
            return_id=refund.return_id,
            sale_id=str(refund.sale_id),
            branch_id=refund.branch_id,
            customer_id=None if refund.customer_id is None else str(refund.customer_id),
            business_date=booked_on,
            lines=held.lines_of(tx, refund.refund_id),
            tenders=[(part.tender, part.fen) for part in refund.parts],
            restored=points.told(tx.conn, refund.refund_id),
            total_fen=refund.total_fen,
            version=version,
        ),
    )
