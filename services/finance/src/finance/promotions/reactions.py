"""What offers of the customers service do to promotion plans: each asks for its money and tells what it cost.

Promises: one answer per offer, granted or refused, in the transaction that reserves; a refusal reserves nothing.
An end follows its grant, because customers lets nobody end an offer before it heard of the grant.
Source: F6
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from finance.promotions import commands, events
from finance.promotions.model import OfferEnded, OfferProposed
from shared import outbox
from shared.clock import business_date
from shared.consumer import in_sets
from shared.database import driver_of
from shared.errors import DomainError
from shared.events import Envelope, Event
from shared.service import LostEvent
from shared.transaction import Tx
from shared.wire import Received


def on_offers_proposed(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Draw what the offers may cost on their plans, and answer each."""
    offers = [msgspec.convert(each.data, OfferProposed) for each in envelopes]
    day = business_date(tx.now)
    answers = commands.draw(tx, offers, [each.event_id for each in envelopes])
    rows = []
    for cause, offer, answer in zip(envelopes, offers, answers, strict=True):
        told: Event = (
            events.drawing_refused(offer, code=answer.code, day=day)
            if isinstance(answer, DomainError)
            else events.drawing_granted(offer, drawing_id=answer, day=day)
        )
        rows.append(outbox.row_caused_by(tx, cause, told))
    with driver_of(tx.conn) as driver:
        outbox.write_rows(driver.cursor(), tx, rows)


def on_offers_ended(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Settle the drawings with what the offers cost; the rest is free again."""
    ended = [msgspec.convert(each.data, OfferEnded) for each in envelopes]
    commands.settle(tx, ended, [each.event_id for each in envelopes])


def withdraw(
    tx: Tx, source: str, _after: int, lost: Sequence[LostEvent], _log: Iterator[Received]
) -> Iterator[dict[str, Any]]:
    """Make good what offers drew and cost by events that customers' log has lost."""
    gone = {each.event_id: each.seq for each in lost if each.comes_again_as is None}
    return commands.undo(tx, gone) if source == "customers" and gone else iter(())


handle = in_sets(
    {
        "customers.offer.proposed.v1": on_offers_proposed,
        "customers.offer.ended.v1": on_offers_ended,
    }
)
