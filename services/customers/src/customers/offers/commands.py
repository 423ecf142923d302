"""An offer's life: proposed, funded by finance, approved, published, ended.

Promises: no offer is published without a drawing on a promotion plan that finance has granted (the database refuses
it too), by two persons other than its author; it is for every patient of its branch, never for institutions (G17) and
never for chosen persons (G25); what was proposed never changes; an offer that ends tells what it cost, and the rest
of its drawing is free again. The answer of finance comes as an event: until then an offer is `asking`, and nobody can end it, so
finance hears of an end only after its own grant.
Source: C38, F6, G17, G25
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

import msgspec

from customers.offers import events, model, store
from customers.offers.model import DrawingGranted, DrawingRefused, Offer
from customers.offers.tables import offer_decisions
from shared import audit, outbox
from shared.approvals import Approval, decide_and_store
from shared.clock import business_date, new_id
from shared.errors import Conflict, Invalid
from shared.events import Envelope
from shared.languages import Text
from shared.transaction import Tx

APPROVERS = frozenset({"finance_head", "cs_manager"})
"""Finance stands for the money, customer service for what is offered and to whom."""
GRANTED, REFUSED = "finance.drawing.granted.v1", "finance.drawing.refused.v1"
OPEN_OFFERS_MAX = 50
"""Offers of a branch that are not over: a till shows them all."""


class OfferDaysInvalid(Invalid):
    code = "offer_days_invalid"
    cure = "Choose a last day that is not before the first and not in the past."


class TooManyOffers(Conflict):
    code = "offers_too_many"
    cure = "Close or withdraw an offer of this branch, then make the new one."


class OfferNotReady(Conflict):
    """The offer is not in the state that this needs."""

    code = "offer_not_ready"
    cure = "Read the offer again; its state says what comes next."


class OfferCostTooHigh(Invalid):
    code = "offer_cost_too_high"
    cure = "State at most what was drawn from the plan for the offer."


def propose(tx: Tx, body: Mapping[str, Any]) -> UUID:
    """Design an offer and ask finance to pay for it. Money in fen; both days count.

    Raises ForeignBranch, OfferDaysInvalid, TooManyOffers.
    """
    tx.actor.require_branch(body["branch_id"])
    today = business_date(tx.now)
    if body["last_day"] < body["first_day"] or body["last_day"] < today:
        raise OfferDaysInvalid("an offer ends after it begins and not in the past")
    offer = Offer(
        **body,
        offer_id=new_id(),
        state="asking",
        version=1,
        proposed_by=tx.actor.id,
        proposed_at=tx.now,
        drawing_id=None,
        refusal=None,
        used_fen=None,
        subject_hash="",
    )
    offer = replace(offer, subject_hash=_hash(offer))
    store.hold_branch(tx.conn, offer.branch_id)
    if store.count_open(tx.conn, offer.branch_id) >= OPEN_OFFERS_MAX:
        raise TooManyOffers("end an offer of this branch first", offers_max=OPEN_OFFERS_MAX)
    store.add(tx.conn, offer)
    audit.record(tx, "offer.propose", str(offer.offer_id), after=offer.subject_hash)
    outbox.append(
        tx,
        events.offer_proposed(
            offer_id=offer.offer_id,
            plan_id=offer.plan_id,
            branch_id=offer.branch_id,
            first_day=offer.first_day,
            last_day=offer.last_day,
            cost_fen=offer.cost_fen,
            on=today,
        ),
    )
    return offer.offer_id


def decide(tx: Tx, offer_id: UUID, *, approved: bool, reason: str | None) -> None:
    """One decision of the two; the second approval publishes the offer, a rejection gives its drawing back.

    Raises OfferNotFound, ForeignBranch, OfferNotReady and the refusals of the approval.
    """
    offer = _locked(tx, offer_id, "funded")
    if approved and offer.last_day < business_date(tx.now):
        raise OfferNotReady("its last day is over", last_day=str(offer.last_day))
    decision, state = decide_and_store(
        tx,
        offer_decisions,
        {"offer_id": offer_id},
        Approval(
            required=APPROVERS, excluded=frozenset({offer.proposed_by}), subject_hash=offer.subject_hash
        ),
        approved=approved,
        reason=reason,
    )
    audit.record(tx, "offer.decide", str(offer_id), after=[decision.role, approved, reason])
    if not approved:
        _end(tx, offer, "rejected", used_fen=0)
    elif state == "approved":
        published = replace(offer, state="published", version=offer.version + 1)
        store.save(tx.conn, published)
        outbox.append(
            tx,
            events.offer_published(
                offer_id=offer_id,
                branch_id=published.branch_id,
                benefit=published.benefit,
                first_day=published.first_day,
                last_day=published.last_day,
                version=published.version,
                on=business_date(tx.now),
            ),
        )


def end(tx: Tx, offer_id: UUID, *, used_fen: int) -> None:
    """End a published offer, before or after its last day, with what it cost in all.

    Raises OfferNotFound, ForeignBranch, OfferNotReady, OfferCostTooHigh.
    """
    offer = _locked(tx, offer_id, "published")
    if used_fen > offer.cost_fen:
        raise OfferCostTooHigh(
            Text("{cost_fen} fen were drawn for it", cost_fen=offer.cost_fen), drawn_fen=offer.cost_fen
        )
    _end(tx, offer, "ended", used_fen=used_fen)


def withdraw(tx: Tx, offer_id: UUID) -> None:
    """Take an offer back that was never published. Raises OfferNotFound, ForeignBranch, OfferNotReady."""
    _end(tx, _locked(tx, offer_id, "funded"), "withdrawn", used_fen=0)


def on_answered(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Finance pays, or it does not: then the offer is over, with the code of the reason. The first answer stands.

    Raises OfferNotFound.
    """
    answers = [
        msgspec.convert(each.data, DrawingGranted)
        if each.type == GRANTED
        else msgspec.convert(each.data, DrawingRefused)
        for each in envelopes
    ]
    offers = store.all_locked(tx.conn, {each.offer_id for each in answers})
    answered: dict[UUID, Offer] = {}
    for cause, answer in zip(envelopes, answers, strict=True):
        offer = offers[answer.offer_id]
        if offer.state != "asking" or offer.offer_id in answered:
            continue
        offer = replace(offer, answer_event_id=cause.event_id)
        if isinstance(answer, DrawingGranted):
            offer = replace(offer, state="funded", drawing_id=answer.drawing_id)
        else:
            offer = replace(offer, state="refused", refusal=answer.code)
        answered[offer.offer_id] = offer
    if not answered:
        return
    store.save_answers(tx.conn, list(answered.values()))
    audit.record_all(
        tx,
        [
            audit.row_of(tx, f"offer.{each.state}", str(each.offer_id), before="asking", after=each.state)
            for each in answered.values()
        ],
    )


def ask_again(tx: Tx, lost: Mapping[UUID, int]) -> Iterator[dict[str, Any]]:
    """Take back answers that finance's log has lost, by event id and number: it reads the proposals again and answers.

    What was decided on the offer stays decided. One that was published or is over has its drawing still: finance
    grants an offer the same drawing each time.
    """
    for offer in store.answered_by(tx.conn, list(lost)):
        assert offer.answer_event_id is not None
        told = {"corrected_seq": lost[offer.answer_event_id], "offer_id": str(offer.offer_id)}
        if offer.state not in {"funded", "refused"}:
            yield {"stays": "offer", "state": offer.state, **told}
            continue
        again = replace(offer, state="asking", drawing_id=None, refusal=None, answer_event_id=None)
        store.save(tx.conn, again)
        audit.record(tx, "offer.asking", str(offer.offer_id), before=offer.state, after="asking")
        yield {"state": "asking", "before": offer.state, **told}


def _locked(tx: Tx, offer_id: UUID, expected: str) -> Offer:
    offer = store.locked(tx.conn, offer_id)
    tx.actor.require_branch(offer.branch_id)
    if offer.state != expected:
        raise OfferNotReady(
            Text("the offer is {state}, not {expected}", state=offer.state, expected=expected),
            state=offer.state,
        )
    return offer


def _end(tx: Tx, offer: Offer, state: str, *, used_fen: int) -> None:
    ended = replace(offer, state=state, used_fen=used_fen, version=offer.version + 1)
    store.save(tx.conn, ended)
    audit.record(tx, f"offer.{state}", str(offer.offer_id), before=offer.state, after=[state, used_fen])
    assert ended.drawing_id is not None, "only an offer with a drawing is ended"
    outbox.append(
        tx,
        events.offer_ended(
            offer_id=ended.offer_id,
            plan_id=ended.plan_id,
            branch_id=ended.branch_id,
            drawing_id=ended.drawing_id,
            ending=state,
            used_fen=used_fen,
            version=ended.version,
            on=business_date(tx.now),
        ),
    )


def _hash(offer: Offer) -> str:
    """What is decided on: everything its author wrote."""
    written = asdict(offer)
    found = audit.digest({name: str(written[name]) for name in sorted(model.WRITTEN)})
    assert found is not None
    return found
