"""What happens to signed contracts: amendments by both parties, terminations, and orders racing for what is left."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest

from finance.contract_forms.rules import ContractLineUnknown
from finance.contracts import rules
from finance.contracts.store import fulfilment as store
from shared.clock import utc_now
from shared.identity import Actor
from shared.transaction import Tx
from tests.support.contracts import CONTACT, TODAY, a_content, a_contract_line, drafted, signed
from tests.support.debtors import items_of, pay
from tests.support.finance_builders import money, refused
from tests.support.ordering import SalesDesk, an_order_line
from tests.support.roles import behind

CLERK = Actor("clerk", frozenset({"invoicing_clerk"}), frozenset({"*"}))
ANSWER = {
    "answer": "accepted",
    "contact_id": CONTACT,
    "confirmed_on": str(TODAY),
    "evidence_sha256": "ef" * 32,
}


def step(office, contract_id, path, body=None, role="salesperson", **identity):
    return office.post(f"/v1/contracts/{contract_id}/{path}", body or {}, role=role, **identity)


def propose(office, contract_id, *lines, person=None, role="salesperson", **content):
    body = {
        "proposed_side": "ours", "reason": "客户增加采购", "content": a_content(*lines, **content),
    }  # fmt: skip
    return step(office, contract_id, "amendments", body, role=role, person=person)


def proposed(office, contract_id, *lines, **content):
    answer = propose(office, contract_id, *lines, **content)
    assert answer.status_code == 201, answer.text
    return answer.json["amendment_id"]


def decide(office, contract_id, amendment_id, *, approved=True, reason=None, **identity):
    body = {"decision": "approved" if approved else "rejected", "reason": reason}
    return step(
        office,
        contract_id,
        f"amendments/{amendment_id}/decisions",
        body,
        **{"role": "business_head", **identity},
    )


def confirm(office, contract_id, amendment_id, **odd):
    identity = {name: odd.pop(name) for name in ("role", "person") if name in odd}
    path = f"amendments/{amendment_id}/answer"
    return step(office, contract_id, path, {**ANSWER, **odd}, **identity)


def shown(office, contract_id):
    return office.get(f"/v1/contracts/{contract_id}", role="accountant").json


def act(office, step, *arguments):
    with office.database.begin() as conn:
        step(Tx(conn=conn, actor=CLERK, now=utc_now()), *arguments)


@pytest.mark.requirement("C37", "X7")
@pytest.mark.parametrize("ours_first", [True, False])
def test_a_signed_contract_changes_when_both_parties_have_confirmed_and_earlier_versions_stay(
    office, ours_first
):
    contract_id = signed(office)
    before = shown(office, contract_id)
    more = a_contract_line(quantity=150), a_contract_line(2, product_id="P-2", unit_price=money(1_000))
    later = str(TODAY + timedelta(days=300))
    amendment_id = proposed(office, contract_id, *more, valid_until=later)
    steps = [
        lambda: decide(office, contract_id, amendment_id),
        lambda: confirm(office, contract_id, amendment_id),
    ]
    first, second = steps if ours_first else reversed(steps)
    assert first().json["state"] == "proposed"
    assert shown(office, contract_id)["content"] == before["content"]
    assert second().json["state"] == "confirmed"
    after = shown(office, contract_id)
    assert (after["version"], after["value"], after["valid_until"]) == (2, money(398_500), later)
    assert [each["quantity"] for each in after["fulfilment"]] == [150, 100]
    versions = [office.get(f"/v1/contracts/{contract_id}/versions/{no}").json for no in (1, 2)]
    assert [each["content"]["lines"][0]["quantity"] for each in versions] == [100, 150]
    assert versions[0]["content_hash"] == before["content_hash"] != versions[1]["content_hash"]
    assert (versions[1]["reason"], versions[1]["amendment_id"]) == ("客户增加采购", amendment_id)
    [row] = office.rows(
        "select data from outbox where type = 'finance.contract.amended.v1' and subject = :id", id=contract_id
    )
    assert (row[0]["contract_version"], row[0]["value_fen"], row[0]["before_fen"]) == (2, 398_500, 199_000)
    refused(decide(office, contract_id, amendment_id), 409, "contract_amendment_decided")
    listed = office.get(f"/v1/contracts/{contract_id}/amendments").json["items"]
    assert [(each["state"], each["version"], each["evidence_sha256"]) for each in listed] == [
        ("confirmed", 2, "ef" * 32)
    ]
    changes = [each["change"] for each in office.get(f"/v1/contracts/{contract_id}/changes").json["items"]]
    assert changes[-1] == "amended"
    assert {"amendment_proposed", "amendment_approved", "amendment_accepted_by_customer"} < set(changes)


@pytest.mark.requirement("C37", "X1")
def test_who_proposes_an_amendment_does_not_approve_it_and_who_approves_does_not_answer_for_the_customer(
    office,
):
    contract_id = signed(office)
    line = a_contract_line(quantity=120)
    amendment_id = propose(office, contract_id, line, role="business_head", person="boss").json[
        "amendment_id"
    ]
    refused(decide(office, contract_id, amendment_id, person="boss"), 403, "approval_same_person")
    assert (
        confirm(office, contract_id, amendment_id, role="business_head", person="boss-2").status_code == 200
    )
    refused(confirm(office, contract_id, amendment_id), 409, "contract_amendment_recorded")
    refused(decide(office, contract_id, amendment_id, person="boss-2"), 403, "approval_same_person")
    assert decide(office, contract_id, amendment_id).json["state"] == "confirmed"
    other = proposed(office, contract_id, a_contract_line(quantity=130))
    assert decide(office, contract_id, other, person="boss").status_code == 200
    as_both = confirm(office, contract_id, other, role="business_head", person="boss")
    refused(as_both, 409, "contract_amendment_recorded")


def test_whoever_decides_on_a_contract_finds_what_waits_for_it(office):
    def waiting(kind, role):
        answer = office.get(f"/v1/contracts?waits_for={kind}&limit=200", role=role)
        return {each["contract_id"] for each in answer.json["items"]} & {amended, ended, quiet}

    amended, ended, quiet = (signed(office) for _ in range(3))
    amendment_id = proposed(office, amended, a_contract_line(quantity=120))
    step(office, ended, "terminate", {"reason": "客户停业"}, "business_head", person="boss")
    assert waiting("amendment_decision", "business_head") == {amended}
    assert waiting("customer_confirmation", "salesperson") == {amended}
    assert waiting("termination_decision", "finance_head") == {ended}
    assert decide(office, amended, amendment_id).status_code == 200
    assert waiting("amendment_decision", "business_head") == set()
    assert waiting("customer_confirmation", "salesperson") == {amended}
    assert confirm(office, amended, amendment_id).status_code == 200
    assert waiting("customer_confirmation", "salesperson") == set()
    refused(office.get("/v1/contracts?waits_for=anything", role="accountant"), 422, "payload_invalid")
    assert {amended, ended, quiet} <= {
        each["contract_id"] for each in office.get("/v1/contracts?limit=200", role="accountant").json["items"]
    }


@pytest.mark.requirement("C37")
def test_either_party_may_refuse_and_then_nothing_changes(office):
    contract_id = signed(office)
    line = a_contract_line(quantity=120)
    ours = proposed(office, contract_id, line)
    refused(propose(office, contract_id, line), 409, "contract_amendment_open")
    refused(decide(office, contract_id, ours, approved=False), 422, "approval_reason_missing")
    assert decide(office, contract_id, ours, approved=False, reason="价格不合适").json["state"] == "rejected"
    theirs = proposed(office, contract_id, line)
    assert decide(office, contract_id, theirs).status_code == 200
    yesterday = str(TODAY - timedelta(days=1))
    refused(
        confirm(office, contract_id, theirs, confirmed_on=yesterday), 422, "contract_signature_date_invalid"
    )
    assert confirm(office, contract_id, theirs, answer="declined").json["state"] == "rejected"
    assert (shown(office, contract_id)["version"], shown(office, contract_id)["value"]) == (1, money(199_000))


@pytest.mark.requirement("C37")
def test_proposals_that_cannot_stand_are_refused(office):
    contract_id = signed(office, None, a_contract_line(1, quantity=10), a_contract_line(2, quantity=10))
    act(office, store.order, UUID(contract_id), 1, 6, 1990, TODAY)
    same = a_contract_line(1, quantity=10), a_contract_line(2, quantity=10)
    refused(propose(office, contract_id, *same), 409, "contract_amendment_empty")
    for lines in (
        [a_contract_line(1, quantity=5), same[1]],
        [same[1]],
        [a_contract_line(1, quantity=10, product_id="P-9"), same[1]],
    ):
        refused(propose(office, contract_id, *lines), 409, "contract_amendment_below_ordered")
    earlier = str(TODAY - timedelta(days=31))
    refused(propose(office, contract_id, *same, valid_from=earlier), 422, "contract_content_invalid")
    refused(propose(office, contract_id, *same, quality_clause=None), 422, "contract_incomplete")
    draft = drafted(office, str(uuid4()))
    refused(propose(office, draft, *same), 409, "contract_state_wrong")
    refused(propose(office, str(uuid4()), *same), 404, "contract_not_found")
    refused(decide(office, contract_id, str(uuid4())), 404, "contract_amendment_not_found")
    amendment_id = proposed(office, contract_id, a_contract_line(1, quantity=7))
    act(office, store.order, UUID(contract_id), 1, 4, 1990, TODAY)
    assert decide(office, contract_id, amendment_id).status_code == 200
    refused(confirm(office, contract_id, amendment_id), 409, "contract_amendment_below_ordered")
    act(office, store.release, UUID(contract_id), 1, 3)
    assert confirm(office, contract_id, amendment_id).json["state"] == "confirmed"
    assert [(each["line_no"], each["quantity"]) for each in shown(office, contract_id)["fulfilment"]] == [
        (1, 7)
    ]
    with pytest.raises(ContractLineUnknown):
        act(office, store.order, UUID(contract_id), 2, 1, 1990, TODAY)


@pytest.mark.requirement("C37", "F9")
def test_a_contract_amended_down_to_what_was_shipped_is_fulfilled(office):
    contract_id = signed(office)
    act(office, store.order, UUID(contract_id), 1, 40, 1990, TODAY)
    act(office, store.ship, UUID(contract_id), 1, 40, 1990, TODAY)
    amendment_id = proposed(office, contract_id, a_contract_line(quantity=40))
    decide(office, contract_id, amendment_id)
    assert confirm(office, contract_id, amendment_id).status_code == 200
    assert shown(office, contract_id)["state"] == "fulfilled"
    types = office.rows(
        "select type, version from outbox where aggregate = 'contract' and subject = :id order by version",
        id=contract_id,
    )
    assert types == [
        ("finance.contract.signed.v1", 1),
        ("finance.contract.amended.v1", 2),
        ("finance.contract.fulfilled.v1", 3),
    ]


@pytest.mark.requirement("F9", "X1")
def test_two_persons_end_a_contract_with_a_reason_once_no_order_holds_goods_of_it(office):
    contract_id = signed(office)
    refused(step(office, contract_id, "terminate", {"reason": ""}, "business_head"), 422, "payload_invalid")
    verdict = {"decision": "approved"}
    none = step(office, contract_id, "termination/decisions", verdict, "finance_head")
    refused(none, 404, "contract_termination_not_found")
    asked = step(office, contract_id, "terminate", {"reason": "客户停业"}, "business_head", person="boss")
    assert asked.json["termination_requested"] is True
    again = step(office, contract_id, "terminate", {"reason": "x"}, "business_head")
    refused(again, 409, "contract_termination_open")
    own = step(office, contract_id, "termination/decisions", verdict, "finance_head", person="boss")
    refused(own, 403, "approval_same_person")
    act(office, store.order, UUID(contract_id), 1, 1, 1990, TODAY)
    held = step(office, contract_id, "termination/decisions", verdict, "finance_head")
    refused(held, 409, "contract_orders_open")
    declined = {"decision": "rejected", "reason": "先发货"}
    kept = step(office, contract_id, "termination/decisions", declined, "finance_head")
    assert (kept.json["state"], kept.json["termination_requested"]) == ("active", False)
    act(office, store.ship, UUID(contract_id), 1, 1, 1990, TODAY)
    step(office, contract_id, "terminate", {"reason": "客户停业"}, "business_head")
    ended = step(office, contract_id, "termination/decisions", verdict, "finance_head").json
    assert (ended["state"], ended["end_reason"], ended["ended_on"]) == ("terminated", "客户停业", str(TODAY))
    [row] = office.rows(
        "select data from outbox where type = 'finance.contract.terminated.v1' and subject = :id",
        id=contract_id,
    )
    assert row[0]["unshipped_fen"] == 99 * 1990
    with pytest.raises(rules.ContractNotActive):
        act(office, store.order, UUID(contract_id), 1, 1, 1990, TODAY)
    refused(propose(office, contract_id, a_contract_line()), 409, "contract_state_wrong")


@pytest.mark.requirement("F9")
def test_orders_racing_for_the_last_of_a_line_never_take_more_than_there_is(office):
    contract_id = UUID(signed(office, None, a_contract_line(quantity=10)))
    racers = 8
    start = Barrier(racers)

    def race(_):
        with office.database.begin() as conn:
            start.wait(30)
            try:
                store.order(Tx(conn=conn, actor=CLERK, now=utc_now()), contract_id, 1, 3, 1990, TODAY)
            except rules.ContractQuantityExceeded as refusal:
                return refusal.context["available"]
        return "ordered"

    with ThreadPoolExecutor(racers) as pool:
        results = list(pool.map(race, range(racers)))
    assert sorted(map(str, results)) == ["1"] * 5 + ["ordered"] * 3
    [line] = shown(office, str(contract_id))["fulfilment"]
    assert (line["ordered"], line["remaining"]) == (9, 1)


@pytest.mark.requirement("C37")
def test_an_order_racing_an_amendment_finds_the_line_as_it_was_or_as_it_is(office):
    contract_id = signed(office, None, a_contract_line(quantity=10))
    amendment_id = proposed(office, contract_id, a_contract_line(quantity=4))
    decide(office, contract_id, amendment_id)
    start = Barrier(2)

    def order():
        with office.database.begin() as conn:
            start.wait(30)
            try:
                store.order(Tx(conn=conn, actor=CLERK, now=utc_now()), UUID(contract_id), 1, 8, 1990, TODAY)
            except rules.ContractQuantityExceeded:
                return "refused"
        return "ordered"

    def amend():
        start.wait(30)
        return confirm(office, contract_id, amendment_id).status_code

    with ThreadPoolExecutor(2) as pool:
        ordered, amended = pool.submit(order), pool.submit(amend)
        outcome = ordered.result(), amended.result()
    assert outcome in {("ordered", 409), ("refused", 200)}
    [line] = shown(office, contract_id)["fulfilment"]
    assert line["ordered"] <= line["quantity"]


@pytest.mark.requirement("X1")
def test_a_token_of_another_branch_sees_and_changes_nothing(office):
    contract_id = signed(office)
    assert office.get("/v1/contracts", role="qa", branches=["S002"]).json["items"] == []
    refused(office.get("/v1/contracts?branch_id=S001", role="qa", branches=["S002"]), 403, "foreign_branch")
    for path in ("", "/changes", "/amendments", "/versions/1", "/pdf"):
        answer = office.get(f"/v1/contracts/{contract_id}{path}", role="accountant", branches=["S002"])
        refused(answer, 403, "foreign_branch")
    customer = shown(office, contract_id)["customer_id"]
    found = office.get(f"/v1/contracts?customer_id={customer}&limit=1", role="qa").json
    assert [each["contract_id"] for each in found["items"]] == [contract_id]


@pytest.mark.requirement("F9", "F13")
def test_what_was_shipped_is_collected_by_the_instalments_of_the_contract(office):
    desk = SalesDesk(office)
    customer, product = desk.customer(), desk.price()
    contract_id = signed(office, customer, a_contract_line(quantity=10, product_id=product))
    assert office.get(f"/v1/contracts/{contract_id}", role="accountant").json["billed"] == money(0)
    line = an_order_line(product, unit_price=money(1_990), contract_line=1)
    order = desk.confirmed(line, customer=customer, contract_id=contract_id)
    assert desk.ship(order).status_code == 201
    items = items_of(office, customer, "sale")
    dues = [(each["due_on"], each["amount"]) for each in items]
    assert dues == [(str(TODAY), money(5_970)), (str(TODAY + timedelta(days=60)), money(13_930))]
    share = {"item_id": items[0]["item_id"], "amount": money(5_970)}
    assert pay(office, customer, 5_970, allocations=[share]).status_code == 201
    after = shown(office, contract_id)
    assert after["state"] == "fulfilled"
    figures = [after[name]["fen"] for name in ("billed", "paid", "open", "past_due")]
    assert figures == [19_900, 5_970, 13_930, 0]


@pytest.mark.requirement("F9", "F13", "F27")
def test_goods_outside_a_contract_are_not_sold_at_its_terms_of_payment(office):
    """To name a contract of long instalments in an order of other goods is no way around what finance allows."""
    desk = SalesDesk(office)
    customer, product, other = desk.customer(), desk.price(), desk.price()
    contract_id = signed(office, customer, a_contract_line(quantity=10, product_id=product))
    lines = [
        an_order_line(product, unit_price=money(1_990), contract_line=1),
        an_order_line(other, no=2, quantity=1, unit_price=money(1_001)),
    ]
    order = desk.drafted(*lines, customer=customer, contract_id=contract_id)
    assert desk.faults(desk.confirm(order)) == ["order_contract_differs"]
    alone = desk.drafted(lines[1], customer=customer, contract_id=contract_id)
    assert desk.faults(desk.confirm(alone)) == ["order_contract_differs"]


@pytest.mark.requirement("F9", "F15")
def test_what_is_shipped_is_worth_what_it_was_ordered_for_after_an_amendment_too(office):
    desk = SalesDesk(office)
    customer, product = desk.customer(), desk.price()
    contract_id = signed(office, customer, a_contract_line(quantity=10, product_id=product))
    line = an_order_line(product, unit_price=money(1_990), contract_line=1)
    order = desk.confirmed(line, customer=customer, contract_id=contract_id)
    cheaper = a_contract_line(quantity=10, product_id=product, unit_price=money(1_500))
    amendment_id = proposed(office, contract_id, cheaper)
    decide(office, contract_id, amendment_id)
    assert confirm(office, contract_id, amendment_id).json["state"] == "confirmed"
    assert desk.ship(order).json["total"] == money(19_900)
    after = shown(office, contract_id)
    assert (after["billed"], after["fulfilment"][0]["shipped_value"]) == (money(19_900), money(19_900))
    told = "select amount_fen from outbox where type = 'finance.contract.fulfilled.v1' and subject = :id"
    assert office.value(told, id=contract_id) == 19_900


@pytest.mark.requirement("F9", "F27")
def test_goods_of_a_contract_keep_its_category_in_orders(office):
    """Else what a contract calls prescription leaves as something that needs less of a permission."""
    desk = SalesDesk(office)
    customer, product = desk.customer(categories=["otc", "rx"]), desk.price()
    line = a_contract_line(quantity=10, product_id=product, category="rx")
    contract_id = signed(office, customer, line)
    assert office.hear(office.permit(customer, version=2)).parked == 0
    contracted = {"unit_price": money(1_990), "contract_line": 1}
    order = desk.drafted(an_order_line(product, **contracted), customer=customer, contract_id=contract_id)
    assert desk.faults(desk.confirm(order)) == ["order_contract_differs"]
    truly = an_order_line(product, product_odd={"category": "rx"}, **contracted)
    order = desk.drafted(truly, customer=customer, contract_id=contract_id)
    assert desk.faults(desk.confirm(order)) == ["trade_not_permitted"]


@pytest.mark.requirement("C37", "F8")
def test_a_line_that_leaves_nothing_to_order_keeps_the_vat_rate_of_its_time(office):
    lines = a_contract_line(quantity=10), a_contract_line(2, product_id="P-2")
    contract_id = signed(office, None, *lines)
    act(office, store.order, UUID(contract_id), 1, 10, 1990, TODAY)
    with behind(office.database) as conn:  # as it would stand if the rate had ended since
        conn.exec_driver_sql("alter table contract_versions disable trigger user")
        conn.exec_driver_sql(
            "update contract_versions set content = jsonb_set(content, '{lines,0,tax_bp}', '1600')"
            " where contract_id = %s",
            (contract_id,),
        )
        conn.exec_driver_sql("alter table contract_versions enable trigger user")
    old = a_contract_line(quantity=10, tax_bp=1600)
    for wrong in (
        [a_contract_line(quantity=11, tax_bp=1600)],
        [a_contract_line(quantity=10, tax_bp=1700)],
        [old, a_contract_line(2, product_id="P-2", tax_bp=1600)],
    ):
        refused(propose(office, contract_id, *wrong), 422, "contract_content_invalid")
    amendment_id = proposed(office, contract_id, old, a_contract_line(2, product_id="P-2", quantity=200))
    decide(office, contract_id, amendment_id)
    assert confirm(office, contract_id, amendment_id).status_code == 200
    assert shown(office, contract_id)["version"] == 2
