"""Budgets when customers' log lost its end: what forgotten offers drew is free, what is told again counts once."""

from datetime import timedelta
from uuid import uuid4

import pytest

from finance.promotions import reactions
from shared.clock import utc_now
from shared.identity import system_actor
from shared.service import LostEvent
from shared.transaction import Tx
from tests.support.expenses_builders import Desk, a_branch, today
from tests.support.finance_builders import money

pytestmark = pytest.mark.requirement("X3", "F6")

BUDGET = 10_000


@pytest.fixture(scope="module")
def desk(office):
    return Desk(office)


@pytest.fixture
def plan(office):
    body = {
        "code": f"L-{uuid4().hex[:10].upper()}",
        "branch_id": a_branch(),
        "from": str(today() - timedelta(days=10)),
        "until": str(today() + timedelta(days=10)),
        "baseline_net": money(100_000),
        "baseline_margin": money(1_000),
        "uplift_bp": 2_500,
        "budget": money(BUDGET),
    }
    made = office.post("/v1/promotion-plans", body, role="accountant").json
    for role in ("finance_head", "cs_manager"):
        decided = office.post(
            f"/v1/promotion-plans/{made['plan_id']}/decisions", {"decision": "approved"}, role=role
        )
        assert decided.status_code == 200, decided.json
    return decided.json


def proposed(office, plan, fen):
    asked = {
        "offer_id": str(uuid4()),
        "plan_id": plan["plan_id"],
        "branch_id": plan["branch_id"],
        "first_day": plan["from"],
        "last_day": plan["until"],
        "cost_fen": fen,
    }
    event = office.envelope("customers.offer.proposed.v1", asked)
    assert office.hear(event).parked == 0
    return event


def answer(office, offer):
    [(kind, data)] = office.rows(
        "select type, data from outbox where subject = :id", id=offer.data["offer_id"]
    )
    return kind.split(".")[2], data


def ended(office, offer, fen):
    drawing_id = answer(office, offer)[1]["drawing_id"]
    told = {"plan_id": offer.data["plan_id"], "drawing_id": drawing_id, "used_fen": fen}
    return office.envelope("customers.offer.ended.v1", told)


def forget(office, *told, again=()):
    """What `log accept customers` does about these events; those of `again` come again under another number."""
    lost = [
        LostEvent(
            source="customers",
            seq=each.seq,
            event_id=each.event_id,
            comes_again_as=each.seq + 1 if each in again else None,
        )
        for each in told
    ]
    with office.database.begin() as conn:
        tx = Tx(conn=conn, actor=system_actor("finance"), now=utc_now())
        return list(reactions.withdraw(tx, "customers", 0, lost, iter(())))


def test_what_a_forgotten_offer_drew_is_free_again_and_drawn_by_others(office, desk, plan):
    offer, kept = proposed(office, plan, 6_000), proposed(office, plan, 4_000)
    assert desk.counters(plan["budget_id"]) == (BUDGET, 0)
    [note] = forget(office, offer)
    drawing_id = answer(office, offer)[1]["drawing_id"]
    assert note == {"given_back": "drawing", "amount_fen": 6_000, "offer_id": offer.data["offer_id"],
                    "drawing_id": drawing_id, "caused_by_seq": offer.seq}  # fmt: skip
    assert desk.counters(plan["budget_id"]) == (4_000, 0)
    assert forget(office, offer) == [], "made good once"
    assert desk.counters(plan["budget_id"]) == (4_000, 0)
    assert answer(office, proposed(office, plan, 6_000))[0] == "granted"
    assert office.hear(ended(office, kept, 4_000)).parked == 0
    assert desk.counters(plan["budget_id"]) == (6_000, 4_000)


def test_an_end_that_was_forgotten_is_settled_anew_when_it_is_told_again(office, desk, plan):
    offer = proposed(office, plan, 5_000)
    end = ended(office, offer, 3_000)
    office.hear(end)
    assert desk.counters(plan["budget_id"]) == (0, 3_000)
    [note] = forget(office, end)
    assert (note["open_again"], note["caused_by_seq"]) == ("drawing", end.seq)
    assert desk.counters(plan["budget_id"]) == (5_000, 0)
    assert office.hear(ended(office, offer, 4_000)).parked == 0
    assert desk.counters(plan["budget_id"]) == (0, 4_000)


def test_what_a_forgotten_offer_has_cost_stays_and_is_named(office, desk, plan):
    offer = proposed(office, plan, 5_000)
    end = ended(office, offer, 3_000)
    office.hear(end)
    [note] = forget(office, offer, end)
    assert (note["stays"], note["amount_fen"], note["caused_by_seq"]) == ("drawing used", 3_000, offer.seq)
    assert desk.counters(plan["budget_id"]) == (0, 3_000)


def test_an_offer_that_comes_again_under_another_number_keeps_its_drawing(office, desk, plan):
    offer = proposed(office, plan, 5_000)
    assert forget(office, offer, again=[offer]) == []
    assert desk.counters(plan["budget_id"]) == (5_000, 0)
