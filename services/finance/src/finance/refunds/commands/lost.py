"""What becomes of refunds when returns' log has lost the settlements that caused them.

Promises: a refund of which nothing is paid is owed no more. An entry of today takes back what it had booked, its lines
stay beside lines that take them back, and it is told. Money that went out stays booked: the refund is marked, what is
not paid of it yet is held, and people decide. The return that is settled again is the same refund: one that was
withdrawn is owed anew for what it comes to now, one that was paid loses its mark if it comes to the same.
Source: F22, X3
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from finance import ledger, periods, sold
from finance.book import book_of
from finance.kernel import posting
from finance.kernel.posting import PostingLine
from finance.refunds.events import refund_withdrawn
from finance.refunds.rules import RefundPaidOtherwise, State
from finance.refunds.store import held, withdrawn
from finance.refunds.store.held import Refund
from finance.refunds.store.withdrawn import Known
from shared import outbox
from shared.clock import business_date
from shared.languages import Text
from shared.transaction import Tx

FORGOTTEN = "returns' log has lost the settlement"
"""Why the rest of a refund is held."""


def undo(tx: Tx, lost: Mapping[UUID, int]) -> Iterator[dict[str, Any]]:
    """Make good what these settlements did, by id and number; says of each refund what became of it."""
    events = list(lost)
    sold.lock(tx.conn, withdrawn.sales_of_causes(tx.conn, events))  # as who verifies a refund does
    for refund_id, cause in withdrawn.hold_of_causes(tx.conn, events).items():
        # read once it is held: what was paid meanwhile is seen
        refund = held.lock(tx, refund_id)
        paid_fen = sum(part.fen for part in refund.parts if part.is_paid)
        told = {
            "refund_id": str(refund.refund_id),
            "return_id": refund.return_id,
            "amount_fen": refund.total_fen,
            "caused_by_seq": lost[cause],
        }
        if paid_fen or refund.state == State.PAID:
            _mark(tx, refund, cause)
            yield {"stays": "refund", "state": refund.state, "paid_fen": paid_fen, **told}
        else:
            _withdraw(tx, refund, cause)
            yield {"withdrawn": "refund", **told}


def keep_cause(tx: Tx, known: Known, event_id: UUID, refund_fen: int) -> None:
    """Returns has settled anew what it had forgotten and we have paid. Raises RefundPaidOtherwise."""
    if refund_fen != known.total_fen:
        raise RefundPaidOtherwise(
            Text(
                "the return is settled anew for {refund_fen} fen, {total_fen} fen were owed and paid",
                refund_fen=refund_fen,
                total_fen=known.total_fen,
            )
        )
    refund = held.lock(tx, known.refund_id)
    detail = {"event_id": str(event_id)}
    state = State(refund.state)
    held.advance(tx, refund, state, "told_again", detail, cause_event_id=event_id, cause_lost_on=None)


def _mark(tx: Tx, refund: Refund, lost: UUID) -> None:
    """Whoever reads the list of refunds that lost their cause finds it; nothing more is paid of it."""
    changes: dict[str, Any] = {"cause_lost_on": business_date(tx.now), "cause_event_id": None}
    state = State.PAID
    if refund.state != State.PAID:
        state = State.HELD
        changes["held_reason"] = FORGOTTEN
    held.advance(tx, refund, state, "cause_lost", _detail(refund, lost), **changes)


def _withdraw(tx: Tx, refund: Refund, lost: UUID) -> None:
    """Take back what the settlement made us owe. Nothing of it is paid; its sale is locked."""
    today = business_date(tx.now)
    booked_on, reference = periods.booking_days(tx, {today})[today]
    lines = held.lines_of(tx, refund.refund_id)
    withdrawn.take_back(tx.conn, refund.refund_id, booked_on)
    parts = [(line.disposition, line.net_fen, line.tax_fen, line.cost_fen) for line in lines]
    due = posting.refund_due(book_of(tx.conn).chart, parts)
    if due:
        entry = ledger.NewEntry(
            booked_on=booked_on,
            branch_id=refund.branch_id,
            kind="refund_withdrawn",
            source_id=str(withdrawn.source_of(refund.refund_id, lost)),
            postings=[PostingLine(line.account, line.credit_fen, line.debit_fen) for line in due],
            reference=reference,
        )
        ledger.add_entries(tx, [entry])
    nothing = dict.fromkeys(("cause_event_id", "approved_by", "approved_at", "approved_hash", "held_reason"))
    version = held.advance(
        tx, refund, State.WITHDRAWN, "withdrawn", _detail(refund, lost), total_fen=0, **nothing
    )
    withdrawn.forget_tenders(tx.conn, refund.refund_id)
    outbox.append(
        tx,
        refund_withdrawn(
            refund_id=str(refund.refund_id),
            return_id=refund.return_id,
            sale_id=str(refund.sale_id),
            branch_id=refund.branch_id,
            customer_id=None if refund.customer_id is None else str(refund.customer_id),
            fen=refund.total_fen,
            lost_event_id=str(lost),
            withdrawn_on=booked_on,
            version=version,
        ),
    )


def _detail(refund: Refund, lost: UUID) -> dict[str, Any]:
    return {"lost_event_id": str(lost), "total_fen": refund.total_fen}
