"""What returns' facts make of refunds: verified and owed from the settlement on. Any order and repetition ends the same.

A batch takes a dozen statements whatever its size. Receipts are locked in the order of their sales, so two consumers
wait for one another and never deadlock; within a batch refunds of one sale follow each other.
Source: F22, G21, model 3.2 (Refund)
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from finance import periods, refund_amounts
from finance.kernel.sale import SaleNotFound
from finance.refund_amounts import ReturnedLine
from finance.refunds.commands import lost
from finance.refunds.model import GoodsReceived, ReturnSettled
from finance.refunds.rules import Kind, State
from finance.refunds.store import owing, withdrawn
from finance.refunds.store.owing import Owed, SaleBefore
from finance.refunds.store.withdrawn import Known
from shared.consumer import in_sets
from shared.events import Envelope
from shared.service import LostEvent
from shared.transaction import Tx
from shared.wire import Received


def on_returns_settled(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Verify refunds against their sales and book what we owe; people approve and pay it.

    Booked to the day of the settlement, or to today when that month has closed. A return already known changes
    nothing, unless returns had forgotten it (commands/lost.py); one worth nothing is done at once. Raises SaleNotFound,
    NotSold, RefundExceedsSale, RefundAmountDiffers, RefundPaidOtherwise: the event is parked.
    """
    told = [(each, msgspec.convert(each.data, ReturnSettled)) for each in envelopes]
    sales = owing.lock_sales(tx, {event.sale_id for _, event in told})
    for _, event in told:
        if event.sale_id not in sales:
            raise SaleNotFound("the settled return names a sale that is not ours", sale_id=str(event.sale_id))
    known = withdrawn.known(tx.conn, [event.return_id for _, event in told])
    new: dict[str, tuple[Envelope, ReturnSettled]] = {}
    for cause, event in told:
        before = known.get(event.return_id)
        if before is None or before.state == State.WITHDRAWN:
            new.setdefault(event.return_id, (cause, event))
        elif before.cause_lost_on is not None:
            lost.keep_cause(tx, before, cause.event_id, event.refund_fen)
    if not new:
        return
    owing.read(tx, sales)
    days = periods.booking_days(tx, {event.settled_on for _, event in new.values()})
    refunds = [
        _verified(sales[event.sale_id], cause, event, days, known.get(event.return_id))
        for cause, event in new.values()
    ]
    owing.owe(tx, refunds)


def withdraw(
    tx: Tx, source: str, _after: int, lost_events: Sequence[LostEvent], _log: Iterator[Received]
) -> Iterator[dict[str, Any]]:
    """Make good what settlements did that returns' log has lost."""
    gone = {each.event_id: each.seq for each in lost_events if each.comes_again_as is None}
    return lost.undo(tx, gone) if source == "returns" and gone else iter(())


def on_goods_received(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Keep the day the goods came back: the first one told."""
    first: dict[str, date] = {}
    for envelope in envelopes:
        event = msgspec.convert(envelope.data, GoodsReceived)
        first[event.return_id] = min(envelope.day, first.get(event.return_id, envelope.day))
    owing.keep_received(tx, first)


def _verified(
    sale: SaleBefore,
    cause: Envelope,
    event: ReturnSettled,
    days: Mapping[date, tuple[date, str | None]],
    before: Known | None,
) -> Owed:
    """The refund of one return, of what earlier ones left. Raises NotSold, RefundExceedsSale, RefundAmountDiffers."""
    returned = [
        ReturnedLine(**{**msgspec.structs.asdict(line), "sale_line_id": str(line.sale_line_id)})
        for line in event.lines
    ]
    refund_amounts.verify(sale.lines, returned, event.refund_fen)
    owed = refund_amounts.split(event.refund_fen, sale.paid, sale.back)
    sale.take(returned, owed)
    booked_on, reference = days[event.settled_on]
    return Owed(
        # A return is refunded once. Told again to finance as it was before, it is the refund that returns has heard of.
        refund_id=uuid5(NAMESPACE_URL, f"urn:apotheca:refund:{event.return_id}"),
        kind=Kind.RETURN,
        return_id=event.return_id,
        sale_id=event.sale_id,
        settled_on=event.settled_on,
        total_fen=event.refund_fen,
        told=cause.data,
        cause=cause,
        sale=sale,
        lines=returned,
        owed=owed,
        booked_on=booked_on,
        reference=reference,
        withdrawn=before,
    )


handle = in_sets(
    {
        "returns.return.settled.v1": on_returns_settled,
        "returns.return.received.v1": on_goods_received,
    }
)
