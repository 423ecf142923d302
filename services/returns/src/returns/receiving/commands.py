"""Take goods into quarantine, or refuse them at the door."""

from uuid import UUID

from returns import cold_chain, notices
from returns.kernel.vocabulary import Fact, LineStatus, ReceiptCause
from returns.notices import Line, Notice
from returns.receiving import events, store
from returns.receiving.model import Arrived, Receipt
from shared.events import Event
from shared.languages import Text
from shared.lots import canonical
from shared.transaction import Tx


def receive_return(tx: Tx, notice_id: UUID, receipt: Receipt) -> None:
    """Take the goods into quarantine line by line, or refuse a line: another lot, or cold chain not proven.

    Raises StepNotAllowed, LineUnknown, LinesIncomplete, QuantityTooLarge.
    Source: R7 R8 R9 G3 G4
    """
    notice = notices.lock(tx, notice_id)
    notice.require(Fact.RECEIVED)
    notice.require_every_line([each.return_line_id for each in receipt.lines])
    for arrived in receipt.lines:
        _take_line(tx, notice, notice.line(arrived.return_line_id), arrived)
    store.add_receipt(tx, notice_id, receipt.record)
    notice.received_by, notice.received_at = tx.actor.id, tx.now
    published: list[Event] = []
    start = notice.status
    end = notice.resting_status()
    for line in notice.lines:
        if line.receipt_cause is None:
            continue
        before = notice.happen(Fact.RECEIPT_REFUSED)
        detail = {"return_line_id": str(line.id), "lot": line.lot, "cause": line.receipt_cause}
        notices.add_history(tx, notice, Fact.RECEIPT_REFUSED, before=before, detail=detail)
        published.append(
            events.receipt_refused(
                notice.at(tx.now),
                return_line_id=str(line.id),
                lot=line.lot,
                cause=line.receipt_cause,
                product_id=line.product_id,
                temp_class=line.temp_class,
            )
        )
    before = notice.happen(Fact.RECEIVED, end)
    told: list[events.ArrivedLine] = [
        {
            "return_line_id": str(line.id),
            "lot": line.lot,
            "quantity": line.received_quantity,
            "product_id": line.product_id,
            "temp_class": line.temp_class,
        }
        for line in notice.arrived
    ]
    notices.add_history(tx, notice, Fact.RECEIVED, before=before, detail={"lines": told})
    if told:
        published.append(events.received(notice.at(tx.now), lines=told))
    notices.finish(tx, notice, published, before=start, lines=notice.lines)


def _take_line(tx: Tx, notice: Notice, line: Line, arrived: Arrived) -> None:
    if arrived.quantity > line.quantity:
        raise line.too_large(
            Text("line {id}: {quantity} were approved", id=line.id, quantity=line.quantity),
            most=line.quantity,
        )
    if arrived.quantity == 0:
        line.status = LineStatus.NOT_ARRIVED
        return
    line.receipt_cause = _receipt_cause(tx, notice, line, arrived)
    if line.receipt_cause is not None:
        line.status = LineStatus.RECEIPT_REFUSED
        return
    line.status, line.received_quantity = LineStatus.RECEIVED, arrived.quantity


def _receipt_cause(tx: Tx, notice: Notice, line: Line, arrived: Arrived) -> ReceiptCause | None:
    if canonical(arrived.lot) != canonical(line.lot):
        return ReceiptCause.MISMATCH
    if not line.needs_cold_chain:
        return None
    assert notice.sold_at is not None
    fault = cold_chain.examine(
        tx, line.id, arrived.cold_chain, temp_class=line.temp_class, sold_at=notice.sold_at
    )
    return ReceiptCause(fault) if fault else None
