"""Offers: no money of finance, no offer; two approve; everybody gets the same; the end tells what it cost."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from customers.app import SERVICE
from customers.offers.commands import OPEN_OFFERS_MAX
from shared.clock import business_date, utc_now
from shared.consumer import apply_batch
from tests.support import facts

TODAY = business_date(utc_now())
SEQ = iter(range(1, 10_000))


def money(fen):
    return {"fen": fen, "currency": "CNY"}


def an_offer(**odd):
    return {
        "plan_id": str(uuid4()),
        "branch_id": "B-OFFERS",
        "title": "会员日",
        "benefit": "gift",
        "terms": "满 100 元送体温计一支",
        "from": str(TODAY),
        "until": str(TODAY + timedelta(days=9)),
        "cost": money(500_000),
        **odd,
    }


def proposed(caller, **odd):
    answer = caller("cs_agent").post("/offers", an_offer(**odd))
    assert answer.status_code == 201, answer.json
    return answer.json["offer_id"]


@pytest.fixture
def finance_says(database):
    """Finance's answer to an offer, as the consumer hears it."""

    def answered(fact, offer_id, **data):
        told = facts.envelope(
            next(SEQ), f"finance.drawing.{fact}.v1", {"offer_id": offer_id, **data}, subject=offer_id
        )
        return apply_batch(database, SERVICE, [told])

    return answered


@pytest.fixture
def funded(caller, finance_says):
    def made(**odd):
        offer_id = proposed(caller, **odd)
        finance_says("granted", offer_id, drawing_id=str(uuid4()))
        return offer_id

    return made


def decide(caller, offer_id, role, *, person=None, approved=True, **more):
    return caller(role, person=person).post(
        f"/offers/{offer_id}/decisions", {"decision": "approved" if approved else "rejected", **more}
    )


def published(caller, offer_id):
    decide(caller, offer_id, "finance_head")
    answer = decide(caller, offer_id, "cs_manager")
    assert answer.json["state"] == "published", answer.json
    return answer.json


def shown_to(caller, customer_id, branch_id="B-OFFERS", role="till", **asked):
    answer = caller(role).get(f"/customers/{customer_id}/offers", branch_id=branch_id, **asked)
    assert answer.status_code == 200, answer.json
    return [each["offer_id"] for each in answer.json["items"]]


@pytest.fixture
def patient(caller):
    body = {"branch_id": "B-OFFERS", "source_channel": "walk_in", "name": "王五"}
    return caller("till").post("/patients", body).json["customer_id"]


@pytest.mark.requirement("F6", "C38")
def test_an_offer_waits_for_finance_and_two_approvals_before_a_till_shows_it(
    caller, patient, events, finance_says
):
    offer_id = proposed(caller)
    asked = events("customers.offer.proposed.v1")
    assert [(data["offer_id"], data["cost_fen"]) for _, data in asked] == [(offer_id, 500_000)]
    early = decide(caller, offer_id, "finance_head")
    assert (early.status_code, early.json["code"]) == (409, "offer_not_ready")
    drawing_id = str(uuid4())
    assert finance_says("granted", offer_id, drawing_id=drawing_id).parked == 0
    assert decide(caller, offer_id, "finance_head").json["state"] == "funded"
    assert shown_to(caller, patient) == []
    done = decide(caller, offer_id, "cs_manager").json
    assert (done["state"], done["drawing_id"]) == ("published", drawing_id)
    assert {each["role"] for each in done["decisions"]} == {"finance_head", "cs_manager"}
    assert shown_to(caller, patient) == [offer_id]
    assert [data["offer_id"] for _, data in events("customers.offer.published.v1")] == [offer_id]
    finance_says("granted", offer_id, drawing_id=str(uuid4()))
    finance_says("refused", offer_id, code="budget_exceeded")
    again = caller("cs_agent").get(f"/offers/{offer_id}").json
    assert (again["state"], again["drawing_id"]) == ("published", drawing_id)


@pytest.mark.requirement("F6")
def test_an_offer_that_finance_does_not_pay_is_over_and_says_why(caller, finance_says, database):
    offer_id = proposed(caller)
    finance_says("refused", offer_id, code="budget_exceeded")
    shown = caller("cs_agent").get(f"/offers/{offer_id}").json
    assert (shown["state"], shown["refusal"]) == ("refused", "budget_exceeded")
    assert decide(caller, offer_id, "finance_head").json["code"] == "offer_not_ready"
    with pytest.raises(DBAPIError, match=r"funded|does not change"), database.begin() as conn:
        conn.execute(text("update offers set state = 'published' where offer_id = :id"), {"id": offer_id})
    unpaid = proposed(caller)
    with pytest.raises(DBAPIError, match="funded"), database.begin() as conn:
        conn.execute(text("update offers set state = 'published' where offer_id = :id"), {"id": unpaid})
    with pytest.raises(DBAPIError, match="does not change"), database.begin() as conn:
        conn.execute(text("update offers set cost_fen = 1 where offer_id = :id"), {"id": unpaid})


@pytest.mark.requirement("X1")
def test_the_author_does_not_approve_and_nobody_approves_twice(caller, funded):
    offer_id = caller("cs_manager", person="author").post("/offers", an_offer()).json["offer_id"]
    assert offer_id
    mine = funded()
    assert decide(caller, mine, "finance_head", person="one").status_code == 200
    twice = decide(caller, mine, "cs_manager", person="one")
    assert (twice.status_code, twice.json["code"]) == (403, "approval_same_person")
    author = decide(caller, mine, "cs_manager", person="cs_agent-1")
    assert (author.status_code, author.json["code"]) == (403, "approval_same_person")


@pytest.mark.requirement("F6")
def test_what_ends_tells_what_it_cost_and_never_more_than_was_drawn(caller, patient, events, funded):
    offer_id = funded()
    early = caller("cs_manager").post(f"/offers/{offer_id}/close", {"used": money(1)})
    assert (early.status_code, early.json["code"]) == (409, "offer_not_ready")
    published(caller, offer_id)
    dear = caller("cs_manager").post(f"/offers/{offer_id}/close", {"used": money(500_001)})
    assert (dear.status_code, dear.json["code"], dear.json["drawn_fen"]) == (
        422,
        "offer_cost_too_high",
        500_000,
    )
    ended = caller("cs_manager").post(f"/offers/{offer_id}/close", {"used": money(420_000)}).json
    assert (ended["state"], ended["used"]) == ("ended", money(420_000))
    assert offer_id not in shown_to(caller, patient)
    rejected, withdrawn = funded(), funded()
    bare = decide(caller, rejected, "finance_head", approved=False)
    assert bare.json["code"] == "approval_reason_missing"
    decide(caller, rejected, "finance_head", approved=False, reason="太贵")
    assert caller("cs_agent").post(f"/offers/{withdrawn}/withdraw").json["state"] == "withdrawn"
    told = [
        (data["offer_id"], data["ending"], data["used_fen"]) for _, data in events("customers.offer.ended.v1")
    ]
    assert told == [(offer_id, "ended", 420_000), (rejected, "rejected", 0), (withdrawn, "withdrawn", 0)]


@pytest.mark.requirement("C38")
def test_patients_get_the_same_offers_on_their_days_and_institutions_none(caller, patient, funded):
    later = funded(**{"from": str(TODAY + timedelta(days=5))})
    published(caller, later)
    assert later not in shown_to(caller, patient)
    assert later in shown_to(caller, patient, on=str(TODAY + timedelta(days=5)))
    assert later not in shown_to(caller, patient, on=str(TODAY + timedelta(days=10)))
    assert shown_to(caller, patient, branch_id="B-OTHER", on=str(TODAY + timedelta(days=5))) == []
    shop = {
        "branch_id": "B-OFFERS",
        "kind": "pharmacy",
        "legal_name": "某某大药房",
        "uscc": "91110000600037341L",
        "contacts": [{"name": "李四", "channels": [{"kind": "phone", "value": "13812345679"}]}],
    }
    institution = caller("salesperson").post("/institutions", shop).json["customer_id"]
    assert shown_to(caller, institution, role="salesperson") == []
    unknown = caller("till").get(f"/customers/{uuid4()}/offers", branch_id="B-OFFERS")
    assert unknown.status_code == 404


@pytest.mark.requirement("F6")
def test_days_run_forward_and_a_branch_has_a_bounded_number_of_offers(caller, finance_says):
    backwards = caller("cs_agent").post("/offers", an_offer(until=str(TODAY - timedelta(days=1))))
    assert (backwards.status_code, backwards.json["code"]) == (422, "offer_days_invalid")
    ids = [proposed(caller, branch_id="B-MANY") for _ in range(OPEN_OFFERS_MAX)]
    full = caller("cs_agent").post("/offers", an_offer(branch_id="B-MANY"))
    assert (full.status_code, full.json["code"]) == (409, "offers_too_many")
    finance_says("refused", ids[0], code="budget_exceeded")
    assert proposed(caller, branch_id="B-MANY")
    seen, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = caller("cs_manager", branches=("B-MANY",)).get("/offers", limit=20, **more).json
        seen += [each["offer_id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == OPEN_OFFERS_MAX + 1
    exact = caller("cs_manager", branches=("B-MANY",)).get("/offers", limit=len(seen)).json
    assert (len(exact["items"]), exact["next_cursor"]) == (len(seen), None), (
        "no empty page follows a full one"
    )
    refused = caller("cs_manager").get("/offers", state="refused").json["items"]
    assert ids[0] in {each["offer_id"] for each in refused}
