"""Finance's log lost its end: points and offers are as if the lost events had never been told, and the ledger says why."""

from dataclasses import replace
from itertools import count
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from customers.app import SERVICE
from customers.loyalty import jobs, queries, rules
from shared.clock import business_date, utc_now
from shared.consumer import apply_batch
from shared.identity import Actor
from shared.service import LostEvent
from shared.transaction import Tx
from tests.support import facts, points
from tests.support.roles import behind

pytestmark = pytest.mark.requirement("X3", "C38")

SEQ = count(500_000)
TODAY = business_date(utc_now())
OPERATOR = Actor(id="the-operator", roles=frozenset({"operator"}), branches=frozenset({"*"}))


@pytest.fixture
def patient(caller):
    body = {"name": "丢失", "branch_id": "B1"}
    return caller("cs_agent").post("/patients", body).json["customer_id"]


@pytest.fixture
def hear(database):
    def apply(*told):
        assert apply_batch(database, SERVICE, told).parked == 0
        return told[-1]

    return apply


@pytest.fixture
def lose(database):
    """What `log accept` makes of lost events; its notes. `again` come again in the new log."""

    def accept(*told, again=()):
        lost = [
            LostEvent(
                source="finance",
                seq=each.seq,
                event_id=each.event_id,
                comes_again_as=each.seq + 1 if each in again else None,
            )
            for each in told
        ]
        with database.begin() as conn:
            return list(
                SERVICE.withdraw(Tx(conn=conn, actor=OPERATOR, now=utc_now()), "finance", 0, lost, iter(()))
            )

    return accept


def sold(patient, worth, **odd):
    return points.sale(next(SEQ), customer_id=patient, lines={"1": (worth * 100, 0)}, day=TODAY, **odd)


def refunded(sale, fen, **odd):
    return points.refund(next(SEQ), sale_id=sale.data["sale_id"], lines=[("1", fen, 0)], **odd)


def redeem(caller, patient, worth):
    receipt = f"L-{uuid4().hex[:10]}"
    body = {"customer_id": patient, "branch_id": "B1", "receipt_number": receipt, "points": worth}
    answer = caller("till").post("/redemptions", body)
    assert answer.status_code == 201, answer.json
    return answer.json


def paying(redeemed):
    worth = redeemed["value"]["fen"]
    return points.sale(
        next(SEQ),
        customer_id=redeemed["customer_id"],
        lines={"1": (worth, 0)},
        redeemed=(redeemed["redemption_id"], worth),
        day=TODAY,
    )


def account(caller, patient):
    shown = caller("till").get(f"/customers/{patient}/points", limit=200).json
    assert shown["balance"] == sum(each["points"] for each in shown["entries"])
    return shown


def state(caller, redeemed):
    return caller("cs_agent").get(f"/redemptions/{redeemed['redemption_id']}").json["state"]


def test_points_of_a_lost_sale_go_and_the_ledger_shows_what_it_lost(caller, patient, hear, lose, events):
    kept, gone = hear(sold(patient, 30)), hear(sold(patient, 20))
    [note] = lose(gone)
    assert account(caller, patient)["balance"] == 30
    kinds = [(each["kind"], each["points"]) for each in account(caller, patient)["entries"]]
    assert sorted(kinds) == [("correct", -20), ("earn", 20), ("earn", 30)]
    [(_, told)] = events("customers.points.corrected.v1")
    assert told == {
        "customer_id": patient,
        "branch_id": "B1",
        "sale_id": gone.data["sale_id"],
        "return_id": None,
        "points": -20,
        "cause": "sale_lost",
        "lost_event_id": str(gone.event_id),
    }
    assert (note["corrected_seq"], note["points"]) == (gone.seq, -20)
    assert kept.data["sale_id"] != gone.data["sale_id"]


def test_points_of_a_lost_sale_that_were_spent_are_a_debt(caller, patient, hear, lose):
    gone = hear(sold(patient, 50))
    redeemed = redeem(caller, patient, 40)
    lose(gone)
    shown = account(caller, patient)
    assert (shown["balance"], shown["usable"], state(caller, redeemed)) == (-40, 0, "open")
    hear(sold(patient, 50))
    assert account(caller, patient)["usable"] == 10


def test_a_redemption_that_a_lost_sale_used_pays_the_receipt_that_is_posted_again(
    caller, patient, hear, lose
):
    hear(sold(patient, 50))
    redeemed = redeem(caller, patient, 40)
    used = hear(paying(redeemed))
    back = hear(refunded(used, 40, restored=(redeemed["redemption_id"], 40)))
    assert account(caller, patient)["balance"] == 50
    lose(used, back)
    assert (account(caller, patient)["balance"], state(caller, redeemed)) == (10, "open")
    hear(paying(redeemed))
    assert (account(caller, patient)["balance"], state(caller, redeemed)) == (10, "used")


def test_a_redemption_given_back_before_a_lost_sale_used_it_is_given_back_again(
    caller, patient, hear, lose, events
):
    hear(sold(patient, 50))
    redeemed = redeem(caller, patient, 40)
    caller("till").post(f"/redemptions/{redeemed['redemption_id']}/cancel")
    used = hear(paying(redeemed))
    assert account(caller, patient)["balance"] == 10
    for loss in range(2):
        if loss:
            used = hear(paying(redeemed))
            assert account(caller, patient)["balance"] == 10
        lose(used)
        assert (account(caller, patient)["balance"], state(caller, redeemed)) == (50, "restored")
    signs = {"redeemed": -1, "restored": 1, "taken_again": -1, "earned": 1}
    told = [(kind.split(".")[2], data["points"]) for kind, data in events() if kind.split(".")[2] in signs]
    assert sum(signs[kind] * worth for kind, worth in told) == 50


def test_a_lost_refund_that_is_paid_again_under_its_own_number_takes_its_points_again(
    caller, patient, hear, lose, events
):
    sale = hear(sold(patient, 30))
    refund = hear(refunded(sale, 1_000))
    assert account(caller, patient)["balance"] == 20
    lose(refund)
    assert account(caller, patient)["balance"] == 30
    seq = next(SEQ)
    hear(replace(refund, seq=seq, event_id=UUID(int=seq)))
    assert account(caller, patient)["balance"] == 20
    told = [data["points"] for kind, data in events() if kind.startswith("customers.points.")]
    assert told == [30, 10, 10, 10]


def test_what_comes_again_under_another_number_stays(caller, patient, hear, lose, events):
    sale = hear(sold(patient, 30))
    assert lose(sale, again=(sale,)) == []
    hear(replace(sale, seq=next(SEQ)))
    assert account(caller, patient)["balance"] == 30
    assert events("customers.points.corrected.v1") == []


def test_an_offer_whose_answer_was_lost_asks_again_and_keeps_its_approvals(caller, database, lose):
    body = {
        "plan_id": str(uuid4()),
        "branch_id": "B-LOST",
        "title": "会员日",
        "benefit": "gift",
        "terms": "满 100 元送体温计一支",
        "from": str(TODAY),
        "until": str(TODAY),
        "cost": {"fen": 500_000, "currency": "CNY"},
    }
    said = {}

    def answer(offer_id, fact, **data):
        seq = next(SEQ)
        told = facts.envelope(
            seq, f"finance.drawing.{fact}.v1", {"offer_id": offer_id, **data}, subject=offer_id
        )
        assert apply_batch(database, SERVICE, [told]).parked == 0
        said[offer_id] = told

    def shown(offer_id):
        return caller("cs_agent").get(f"/offers/{offer_id}").json["state"]

    granted, refused = (caller("cs_agent").post("/offers", body).json["offer_id"] for _ in range(2))
    drawing = str(uuid4())
    answer(granted, "granted", drawing_id=drawing)
    answer(refused, "refused", code="budget_exceeded")
    caller("finance_head").post(f"/offers/{granted}/decisions", {"decision": "approved"})
    lose(*said.values())
    assert (shown(granted), shown(refused)) == ("asking", "asking")
    answer(granted, "granted", drawing_id=drawing)
    answer(refused, "granted", drawing_id=str(uuid4()))
    caller("cs_manager").post(f"/offers/{granted}/decisions", {"decision": "approved"})
    assert (shown(granted), shown(refused)) == ("published", "funded")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_after_any_loss_the_points_are_those_of_the_events_that_are_left(
    caller, database, hear, lose, events, data
):
    """Two customers hear the same, one of them also what is lost and withdrawn: they have the same points."""
    body = {"name": "丢失", "branch_id": "B1"}
    one, other = (caller("cs_agent").post("/patients", body).json["customer_id"] for _ in range(2))
    sales, lost, begun = [], [], len(events())
    is_lost = False
    for step in data.draw(st.lists(st.sampled_from("ssrrxl"), min_size=3, max_size=12)):
        if step == "l":
            is_lost = True
        elif step == "s":
            worth = data.draw(st.integers(1, 60))
            mine = hear(sold(one, worth))
            twin = None if is_lost else hear(sold(other, worth))
            sales.append((mine, twin, worth))
            lost += [mine] if is_lost else []
        elif step == "r" and sales:
            mine, twin, worth = data.draw(st.sampled_from(sales))
            part = data.draw(st.integers(0, worth * 100))
            refund = hear(refunded(mine, part))
            if is_lost:
                lost.append(refund)
            else:
                hear(refunded(twin, part))
        elif step == "x" and not is_lost:
            with database.begin() as conn:
                later = utc_now().replace(year=TODAY.year + 2)
                jobs.expire_points(Tx(conn=conn, actor=OPERATOR, now=later))
    lose(*lost)
    assert account(caller, one)["balance"] == account(caller, other)["balance"]
    signs = {"earned": 1, "taken_back": -1, "expired": -1, "corrected": 1}
    for customer in (one, other):
        with database.begin() as conn:
            lots = queries.point_lots(conn, customer)
        told = [
            signs[kind.split(".")[2]] * fact["points"]
            for kind, fact in events()[begun:]
            if kind.startswith("customers.points.") and fact["customer_id"] == customer
        ]
        assert rules.balance(lots) == account(caller, customer)["balance"] == sum(told)


def test_a_redemption_that_our_own_log_lost_is_taken_over_from_the_sale_that_used_it(
    caller, database, patient, hear, events
):
    hear(sold(patient, 50))
    redemption_id, receipt = str(uuid4()), f"L-{uuid4().hex[:10]}"
    sale = points.sale(
        next(SEQ), customer_id=patient, lines={"1": (40, 0)}, redeemed=(redemption_id, 40), day=TODAY
    )
    sale.data["receipt_number"] = receipt
    assert apply_batch(database, SERVICE, [sale]).parked == 1  # nobody knows it, and our log lost nothing
    with behind(database) as conn:
        conn.execute(text("insert into log_epochs values (2, 1, now(), 'the-operator', 'restored')"))
        conn.execute(text("delete from parked_events where event_id = :id"), {"id": str(sale.event_id)})
    try:
        again = replace(sale, seq=next(SEQ))
        hear(sold(patient, 3), again, sold(patient, 7))
        assert account(caller, patient)["balance"] == 50 + 3 + 7 - 40
        shown = caller("cs_agent").get(f"/redemptions/{redemption_id}").json
        assert (shown["state"], shown["receipt_number"], shown["points"]) == ("used", receipt, 40)
        assert [data["points"] for _, data in events("customers.points.redeemed.v1")] == [40]
        with database.read() as conn:
            cause = conn.execute(
                text("select causation_id from outbox where subject = :id"), {"id": redemption_id}
            ).scalar_one()
        assert cause == str(again.event_id), "so that its loss names the redemption"
    finally:
        with behind(database) as conn:
            conn.execute(text("delete from log_epochs where epoch = 2"))
