"""Payments, allocations, disputes, terms: each in the caller's transaction.

A payment is the only thing here that books; allocation is matching alone (I28).
Source: F13, F15, F16, F21
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from uuid import UUID

from finance import allocations, cash, dunning, entries, open_items, periods, trade_permissions
from finance.allocations import Match
from finance.book import book_of, require_in_books
from finance.kernel.company import require_company
from finance.open_items import Item, NewItem, ReceivableUnknown
from finance.receivables import rules, store
from finance.receivables.events import payment_received, payment_reversed
from finance.receivables.model import Received
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.errors import Conflict, Invalid, NotFound
from shared.languages import Text
from shared.transaction import Tx


class PaymentInFuture(Invalid):
    code = "payment_in_future"
    cure = "Correct the day of the payment."


class PaymentReferenceUsed(Conflict):
    """The same transfer or bill was booked before."""

    code = "payment_reference_used"
    cure = "Use the payment that is booked under this reference."


class PaymentReversedBefore(Conflict):
    code = "payment_reversed_before"
    cure = "Nothing needs doing: the payment was reversed."


class AllocationUnknown(NotFound):
    code = "allocation_unknown"
    cure = "Take the id from the item's `allocations`."


class AllocationUndone(Conflict):
    code = "allocation_undone"
    cure = "Nothing needs doing: both items are open again; a write-off is undone by a recovery."


class DisputeNotPossible(Conflict):
    code = "dispute_not_possible"
    cure = "Read the item again; only an open debt is disputed, and only what is disputed is resolved."


def booking_day(tx: Tx, day: date) -> tuple[date, str | None]:
    """The day itself while its month is open, else today with a reference; held open. Raises PeriodClosed."""
    return periods.booking_days(tx, [day])[day]


def lock_item(tx: Tx, item_id: UUID) -> Item:
    """Raises ReceivableUnknown, also for a branch the token does not cover."""
    item = open_items.lock(tx.conn, [item_id])[item_id]
    if not tx.actor.may_see(item.branch_id):
        raise ReceivableUnknown("no such open item")
    return item


def require_known(tx: Tx, customer_id: UUID) -> None:
    """Raises CustomerUnknown or CustomerNotYetKnown unless customers told us of the customer, or it owes us."""
    if not store.is_known(tx, customer_id):
        trade_permissions.require_told(tx, {customer_id})


def receive_payment(tx: Tx, said: Received) -> UUID:
    """Book money against the customer's account and set it against what was named, or the oldest debts, or nothing.

    Booked to the day it was received, or to today with a reference when that month is closed.
    Raises ForeignBranch, CustomerUnknown, CustomerNotYetKnown, PaymentInFuture, BeforeTheBooks, PaymentReferenceUsed,
    PeriodClosed, ReceivableUnknown, AllocationNotPossible, AllocationExceedsOpen.
    """
    tx.actor.require_branch(said.branch_id)
    require_known(tx, said.customer_id)
    _check_day(tx, said.received_on)
    booked_on, reference = booking_day(tx, said.received_on)
    payment_id = new_id()
    fen = said.amount_fen
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=booked_on,
            branch_id=said.branch_id,
            kind="payment",
            source_id=str(payment_id),
            postings=rules.payment(book_of(tx.conn).chart, said.tender, fen),
            customer_id=str(said.customer_id),
            reference=reference,
        ),
        items=[NewItem(fen=-fen, due_on=booked_on, kind="payment")],
    )
    [credit_id] = open_items.of_source(tx.conn, payment_id, "payment")
    if not store.add_payment(tx, payment_id, credit_id, said, booked_on):
        raise PaymentReferenceUsed("a payment with this means and reference was booked before")
    matches = _matches(tx, credit_id, said)
    if matches:
        allocations.allocate(tx, matches, booked_on)
    outbox.append(
        tx,
        payment_received(
            payment_id=str(payment_id),
            customer_id=str(said.customer_id),
            branch_id=said.branch_id,
            tender=said.tender,
            amount_fen=fen,
            received_on=said.received_on,
            day=booked_on,
            allocations=[{"item_id": str(each.debt_id), "fen": each.fen} for each in matches],
        ),
    )
    audit.record(tx, "payment.receive", str(payment_id), after=asdict(said))
    return payment_id


def _check_day(tx: Tx, received_on: date) -> None:
    if received_on > business_date(tx.now):
        raise PaymentInFuture("the payment lies in the future")
    require_in_books(tx.conn, received_on)


def _matches(tx: Tx, credit_id: UUID, said: Received) -> list[Match]:
    if not said.oldest_first:
        return [
            Match(credit_id=credit_id, debt_id=each.item_id, fen=each.amount_fen) for each in said.allocations
        ]
    debts = store.oldest_debts(tx, said.customer_id, said.branch_id)
    return allocations.oldest_first(tx.conn, debts, credit_id, said.amount_fen)


def reverse_payment(tx: Tx, payment_id: UUID, reason: str) -> None:
    """The payment bounced or was booked in error: what it paid is open again, and the books say so today.

    Raises PaymentUnknown, PaymentReversedBefore, PeriodClosed, and SafeShort for cash that the safe no longer holds.
    """
    payment = store.lock_payment(tx, payment_id)
    if payment is None or not tx.actor.may_see(payment.branch_id):
        raise rules.PaymentUnknown("no such payment")
    if payment.reversed_on is not None:
        raise PaymentReversedBefore(Text("it was reversed on {reversed_on}", reversed_on=payment.reversed_on))
    if payment.tender == "cash":
        cash.before_safe_pays(tx, payment.branch_id, payment.amount_fen)
    today = business_date(tx.now)
    booked_on, _ = booking_day(tx, today)
    for allocation_id in store.live_allocations(tx, payment.item_id):
        _undo(tx, allocation_id)
    entries.add_entry(
        tx,
        entries.NewEntry(
            booked_on=booked_on,
            branch_id=payment.branch_id,
            kind="payment_reversal",
            source_id=str(payment_id),
            postings=rules.payment_reversal(book_of(tx.conn).chart, payment.tender, payment.amount_fen),
            customer_id=str(payment.customer_id),
            reference=f"payment:{payment.booked_on:%Y-%m}",
        ),
        items=[NewItem(fen=payment.amount_fen, due_on=booked_on, kind="payment_reversal")],
    )
    [debt_id] = open_items.of_source(tx.conn, payment_id, "payment_reversal")
    allocations.allocate(
        tx, [Match(credit_id=payment.item_id, debt_id=debt_id, fen=payment.amount_fen)], booked_on
    )
    store.reverse(tx, payment_id, booked_on, reason)
    outbox.append(
        tx,
        payment_reversed(
            payment_id=str(payment_id),
            customer_id=str(payment.customer_id),
            branch_id=payment.branch_id,
            amount_fen=payment.amount_fen,
            day=booked_on,
        ),
    )
    audit.record(tx, "payment.reverse", str(payment_id), after=reason)


def allocate(tx: Tx, *, credit_id: UUID, debt_id: UUID, fen: int) -> UUID:
    """Set a credit that was left over against a debt; nothing is booked."""
    for item_id in (credit_id, debt_id):
        _require_visible(tx, item_id)
    match = Match(credit_id=credit_id, debt_id=debt_id, fen=fen)
    [made] = allocations.allocate(tx, [match], business_date(tx.now))
    audit.record(tx, "receivable.allocate", str(made), after=[str(credit_id), str(debt_id), fen])
    return made


def _require_visible(tx: Tx, item_id: UUID) -> None:
    branch_id = store.branch_of(tx, item_id)
    if branch_id is None or not tx.actor.may_see(branch_id):
        raise ReceivableUnknown("no such open item")


def undo_allocation(tx: Tx, allocation_id: UUID, reason: str) -> None:
    """Take a match back. Raises AllocationUnknown, AllocationUndone."""
    found = store.matched(tx, allocation_id)
    if found is None or found[2] <= 0:
        raise AllocationUnknown("no such allocation")
    item = open_items.lock(tx.conn, [found[0]])[found[0]]
    if not tx.actor.may_see(item.branch_id):
        raise AllocationUnknown("no such allocation")
    if item.kind == "write_off":
        raise AllocationUndone("a write-off is not taken back by its allocation")
    _undo(tx, allocation_id)
    audit.record(tx, "receivable.undo_allocation", str(allocation_id), after=reason)


def _undo(tx: Tx, allocation_id: UUID) -> None:
    found = store.matched(tx, allocation_id)
    assert found is not None, "the caller has read it"
    credit_id, debt_id, fen = found
    items = open_items.lock(tx.conn, [credit_id, debt_id])
    if store.is_undone(tx, allocation_id) or items[debt_id].kind == "payment_reversal":
        raise AllocationUndone("it was taken back before, or it is the reversal of a payment")
    allocations.allocate(
        tx,
        [Match(credit_id=credit_id, debt_id=debt_id, fen=-fen, undoes=allocation_id)],
        business_date(tx.now),
    )


def dispute(tx: Tx, item_id: UUID, reason: str) -> None:
    """The customer disputes a debt: it stays owed and booked, but nobody is reminded of it meanwhile.

    Raises ReceivableUnknown, DisputeNotPossible.
    """
    item = lock_item(tx, item_id)
    if item.amount_fen < 0 or item.open_fen == 0 or item.is_disputed:
        raise DisputeNotPossible("only an open debt that is not disputed yet can be disputed")
    open_items.change(tx.conn, item_id, is_told=False, disputed_at=tx.now, dispute_reason=reason)
    dunning.pause(tx, item_id)
    audit.record(tx, "receivable.dispute", str(item_id), after=reason)


def resolve_dispute(tx: Tx, item_id: UUID, reason: str) -> None:
    """The dispute is over: the debt stands (a credit note took off what did not); dunning goes on.

    Raises ReceivableUnknown, DisputeNotPossible.
    """
    item = lock_item(tx, item_id)
    if not item.is_disputed:
        raise DisputeNotPossible("the item is not disputed")
    open_items.change(tx.conn, item_id, is_told=False, disputed_at=None, dispute_reason=None)
    dunning.resume(tx, item)
    audit.record(tx, "receivable.resolve_dispute", str(item_id), after=reason)


class TermsTaken(Conflict):
    """Terms that began on this day were decided before; later terms begin on a later day."""

    code = "credit_terms_taken"
    cure = "Choose a later first day."


def decide_terms(
    tx: Tx, customer_id: UUID, effective_from: date, instalments: Sequence[dict[str, int]]
) -> None:
    """Terms of one customer from a day on; earlier sales keep theirs.

    A customer buys in every branch. Raises InstalmentsInvalid, TermsTaken, CompanyNotCovered.
    """
    require_company(tx.actor)
    rules.check_instalments(instalments)
    if not store.add_terms(tx, customer_id, effective_from, instalments):
        raise TermsTaken(
            Text("terms from {effective_from} on were decided before", effective_from=effective_from)
        )
    audit.record(tx, "credit_terms.decide", str(customer_id), after=[str(effective_from), *instalments])
