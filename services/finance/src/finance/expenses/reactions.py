"""What offers of the customers service do to promotion plans: each asks for its money and tells what it cost.

Promises: one answer per offer, granted or refused, in the transaction that reserves; a refusal reserves nothing.
An end follows its grant, because customers lets nobody end an offer before it heard of the grant.
Source: F6
"""

import msgspec

from finance.budgets.rules import BudgetExceeded
from finance.expenses import events
from finance.expenses.commands import promotions
from finance.expenses.rules import OfferOutsidePlan, PlanNotFound, PlanNotReady
from finance.subscriptions import OfferEnded, OfferProposed
from shared import outbox
from shared.clock import business_date
from shared.consumer import Reaction
from shared.events import Envelope
from shared.transaction import Tx


def on_offer_proposed(tx: Tx, envelope: Envelope) -> None:
    """Draw what the offer may cost on its plan, and answer."""
    offer = msgspec.convert(envelope.data, OfferProposed)
    day = business_date(tx.now)
    try:
        with tx.conn.begin_nested():
            drawing_id = promotions.draw(tx, offer)
    except (PlanNotFound, PlanNotReady, OfferOutsidePlan, BudgetExceeded) as refusal:
        outbox.append(tx, events.drawing_refused(offer, code=refusal.code, day=day))
    else:
        outbox.append(tx, events.drawing_granted(offer, drawing_id=drawing_id, day=day))


def on_offer_ended(tx: Tx, envelope: Envelope) -> None:
    """Settle the drawing with what the offer cost; the rest is free again."""
    offer = msgspec.convert(envelope.data, OfferEnded)
    promotions.settle(tx, offer.plan_id, offer.drawing_id, offer.used_fen)


REACTIONS: dict[str, Reaction] = {
    "customers.offer.proposed.v1": on_offer_proposed,
    "customers.offer.ended.v1": on_offer_ended,
}
