"""What is refused, and that a refusal is a record: never ours, too many, not eligible, not yet known."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from shared.clock import business_date, new_id, utc_now
from tests.support.returns_builders import PATIENT, Counter, a_customer, a_sold_line
from tests.support.watermarks import asked_a_while_ago

REQUESTS = 50
NEWCOMER = "0199b1c0-0000-7000-8000-0000000000c3"
UNKNOWN = {"sale_id": "nowhere", "branch_id": "S001", "lines": [{"line_id": "x", "lot": "L1"}]}


def hear_finance(counter, *, contiguous, head, age_s=0):
    """Put the watermark where a keeper would have put it."""
    with counter.database.begin() as conn:
        conn.execute(
            text(
                "insert into source_state (source, contiguous_seq, head_seq, checked_at)"
                " values ('finance', :contiguous, :head, :checked) on conflict (source) do update set"
                " contiguous_seq = :contiguous, head_seq = :head, checked_at = :checked"
            ),
            {"contiguous": contiguous, "head": head, "checked": utc_now() - timedelta(seconds=age_s)},
        )


def refusal_events(counter, notice):
    with counter.database.begin() as conn:
        return conn.execute(
            text("select type, data->>'cause' from outbox where subject = :id"), {"id": notice["return_id"]}
        ).all()


@pytest.mark.requirement("R1", "R3")
def test_an_unknown_sale_is_not_ours_only_once_everything_was_heard(counter):
    behind = counter.request(UNKNOWN)
    assert (behind.status_code, behind.json["code"]) == (503, "projection_behind")
    assert behind.headers["Retry-After"] == "5"
    hear_finance(counter, contiguous=41, head=42)
    assert counter.request(UNKNOWN).status_code == 503
    hear_finance(counter, contiguous=42, head=42, age_s=31)
    assert counter.request(UNKNOWN).status_code == 503
    hear_finance(counter, contiguous=42, head=42)
    refused = counter.request(UNKNOWN)
    assert (refused.status_code, refused.json["state"], refused.json["cause"]) == (
        201,
        "refused",
        "not_ours",
    )
    assert refusal_events(counter, refused.json) == [("returns.return.refused.v1", "not_ours")]


@pytest.mark.requirement("R1")
def test_a_parked_sale_is_not_called_unknown(counter):
    hear_finance(counter, contiguous=42, head=42)
    counter.sell([a_sold_line(quantity=0)])
    with counter.database.begin() as conn:
        assert conn.execute(text("select reason_code from parked_events")).scalars().all() == [
            "invalid_payload"
        ]
    assert counter.request(UNKNOWN).json["code"] == "projection_behind"
    with counter.database.begin() as conn:
        conn.execute(text("delete from parked_events"))


@pytest.mark.requirement("R1")
def test_a_line_lot_or_branch_that_is_not_of_the_sale_is_not_ours(counter):
    sale = counter.sell()
    hear_finance(counter, contiguous=99, head=99)
    [line] = sale["lines"]
    for strange in ({"sale_line_id": "other"}, {"lot": "FAKE"}):
        lines = [{"sale_line_id": line["line_id"], "lot": "L1", "quantity": 1, **strange}]
        assert counter.request(sale, lines=lines).json["cause"] == "not_ours"
    counter_token = {"branches": ("S001", "S002"), "role": "invoicing_clerk"}
    body = {
        "branch_id": "S002",
        "kind": "b2b",
        "sale_id": sale["sale_id"],
        "reason": "slow_moving",
        "package": {"unopened": True, "intact": True},
        "lines": [{"sale_line_id": line["line_id"], "lot": "L1", "quantity": 1}],
    }
    assert counter.post("", body, **counter_token).json["cause"] == "not_ours"


@pytest.mark.requirement("R1")
def test_more_than_was_sold_is_refused_over_all_notices(counter):
    sale = counter.sell()
    assert counter.request(sale, [11]).json["cause"] == "over_quantity"
    assert counter.request(sale, [7]).json["state"] == "requested"
    again = counter.request(sale, [4]).json
    assert (again["state"], again["cause"], again["lines"]) == ("refused", "over_quantity", [])
    assert counter.request(sale, [3]).json["state"] == "requested"
    assert refusal_events(counter, again) == [("returns.return.refused.v1", "over_quantity")]


@pytest.mark.requirement("R1")
def test_fifty_requests_at_once_never_reserve_more_than_was_sold(migrated_database, tmp_path):
    counter = Counter(migrated_database("returns"), tmp_path, connections=REQUESTS)
    sale = counter.sell([a_sold_line(quantity=20), a_sold_line(lot="L2", quantity=20)])
    flipped = {**sale, "lines": sale["lines"][::-1]}
    together = Barrier(REQUESTS)

    def ask(i):
        together.wait(30)
        return counter.request(flipped if i % 2 else sale, [1, 1]).json["state"]

    with ThreadPoolExecutor(REQUESTS) as pool:
        outcomes = list(pool.map(ask, range(REQUESTS)))
    assert (outcomes.count("requested"), outcomes.count("refused")) == (20, 30)
    with counter.database.begin() as conn:
        rows = conn.execute(text("select sold, reserved from return_allotments")).all()
    counter.close()
    assert rows == [(20, 20), (20, 20)]


@pytest.mark.requirement("R14", "R19")
def test_goods_that_are_not_eligible_are_refused_with_every_fault(counter):
    expired = (business_date(utc_now()) - timedelta(days=1)).isoformat()
    sale = counter.sell([a_sold_line(expiry=expired)])
    refused = counter.request(sale, package={"unopened": False, "intact": True}).json
    assert (refused["cause"], refused["cause_detail"]) == ("ineligible", "opened, expired")
    assert counter.request(sale, reason="recall").json["state"] == "requested"
    assert counter.request(sale, kind="retail").json["cause_detail"] == "reason_not_accepted"


def test_a_counter_sale_cannot_come_back_as_wholesale(counter):
    answer = counter.request(counter.sell(customer_id=None))
    assert (answer.status_code, answer.json["code"]) == (422, "return_kind_wrong")


def test_what_a_patient_bought_cannot_come_back_as_wholesale(counter):
    answer = counter.request(counter.sell(customer_id=PATIENT))
    assert (answer.status_code, answer.json["code"]) == (422, "return_kind_wrong")


def test_a_customer_that_may_still_be_on_its_way_is_waited_for(counter):
    answer = counter.request(counter.sell(customer_id=NEWCOMER))
    assert (answer.status_code, answer.json["code"]) == (503, "projection_behind")
    counter.deliver(a_customer(3, NEWCOMER, "hospital"))
    assert counter.request(counter.sell(customer_id=NEWCOMER)).json["state"] == "requested"


def test_a_receipt_number_that_two_sales_carry_needs_the_sale(counter):
    first = counter.sell(receipt_number="SAME")
    counter.sell(receipt_number="SAME")
    body = {
        "branch_id": "S001",
        "kind": "b2b",
        "receipt_number": "SAME",
        "reason": "recall",
        "package": {"unopened": True, "intact": True},
        "lines": [{"sale_line_id": first["lines"][0]["line_id"], "lot": "L1", "quantity": 1}],
    }
    answer = counter.post("", body, role="invoicing_clerk")
    assert (answer.status_code, answer.json["code"]) == (409, "receipt_ambiguous")


def test_every_fault_of_a_request_is_told_at_once(counter):
    answer = counter.post("", {"branch_id": "s 1", "lines": []}, role="invoicing_clerk")
    paths = {fault["path"] for fault in answer.json["errors"]}
    assert (answer.status_code, answer.json["code"]) == (422, "payload_invalid")
    assert {"branch_id", "lines", "kind", "reason", "package"} <= paths


@pytest.mark.requirement("X1")
def test_another_branch_may_neither_ask_nor_read_nor_decide(counter):
    sale = counter.sell()
    notice = counter.request(sale).json
    foreign = {"branches": ("S003",)}
    body = {"decision": "approved"}
    assert counter.get(f"/{notice['return_id']}", **foreign).json["code"] == "foreign_branch"
    assert (
        counter.post(f"/{notice['return_id']}/decisions", body, role="qa", **foreign).json["code"]
        == "foreign_branch"
    )
    assert counter.get("", **foreign).json["items"] == []
    assert counter.get("", branch_id="S001", **foreign).json["code"] == "foreign_branch"
    assert (
        counter.ask("sold-lines", branch_id="S001", sale_id="x", **foreign).json["code"] == "foreign_branch"
    )


def test_what_is_not_there_is_not_found(counter):
    from uuid import uuid4

    assert counter.get(f"/{uuid4()}").json["code"] == "return_not_found"


@pytest.mark.requirement("R3")
def test_the_original_order_is_awaited_and_then_not_found(counter):
    hear_finance(counter, contiguous=41, head=42)
    behind = counter.ask("sold-lines", branch_id="S001", sale_id="x")
    assert (behind.status_code, behind.json["code"], behind.headers["Retry-After"]) == (
        503,
        "projection_behind",
        "5",
    )
    hear_finance(counter, contiguous=42, head=42)
    assert counter.ask("sold-lines", branch_id="S001", sale_id="x").json["code"] == "sale_not_known"
    # A sale made a moment ago may be on its way, though we are level with the head of before.
    new = str(new_id())
    assert counter.ask("sold-lines", branch_id="S001", sale_id=new).json["code"] == "projection_behind"
    assert counter.request(UNKNOWN | {"sale_id": new}).json["code"] == "projection_behind"
    hear_finance(counter, contiguous=42, head=42, age_s=-120)
    assert counter.ask("sold-lines", branch_id="S001", sale_id=new).json["code"] == "sale_not_known"


@pytest.mark.requirement("R1", "R3")
def test_a_receipt_of_a_moment_ago_is_awaited_though_a_head_of_before_is_level(counter):
    hear_finance(counter, contiguous=99, head=99, age_s=4)

    def look():
        return counter.ask("sold-lines", branch_id="S001", receipt_number="R-NEW").json["code"]

    def ask():
        return counter.post("", by_receipt("R-NEW"), role="invoicing_clerk")

    assert (look(), ask().json["code"], look()) == ("projection_behind",) * 3
    asked_a_while_ago(counter.database)  # and the head of 4 s ago is newer than that
    assert (look(), look()) == ("sale_not_known", "projection_behind")
    asked_a_while_ago(counter.database)
    refused = ask().json
    assert (refused["state"], refused["cause"]) == ("refused", "not_ours")
    assert ask().json["code"] == "projection_behind"  # what was refused is answered; this is a new question
    hear_finance(counter, contiguous=98, head=99, age_s=4)
    asked_a_while_ago(counter.database)
    assert ask().json["code"] == "projection_behind"
    assert counter.sell(receipt_number="R-NEW")["sale_id"]
    assert ask().json["cause"] == "not_ours"  # its line is not of the sale, which is known


def test_who_asks_again_after_a_minute_asks_anew(counter):
    hear_finance(counter, contiguous=99, head=99, age_s=4)
    for _ in range(2):
        answer = counter.ask("sold-lines", branch_id="S001", receipt_number="R-LATER")
        assert answer.json["code"] == "projection_behind"
        for _ in range(4):
            asked_a_while_ago(counter.database)


def by_receipt(number):
    return {
        "branch_id": "S001",
        "kind": "b2b",
        "receipt_number": number,
        "reason": "recall",
        "package": {"unopened": True, "intact": True},
        "lines": [{"sale_line_id": "x", "lot": "L1", "quantity": 1}],
    }


def test_a_receipt_names_every_line_and_no_more_than_was_approved(counter):
    fetched = counter.picked_up(counter.sell([a_sold_line(), a_sold_line(lot="L2")]), [2, 2])
    partial = counter.receive({**fetched, "lines": fetched["lines"][:1]})
    assert partial.json["code"] == "return_lines_incomplete"
    assert counter.receive(fetched, quantities={0: 3}).json["code"] == "return_quantity_too_large"
    stranger = [{**fetched["lines"][0], "return_line_id": fetched["return_id"]}, fetched["lines"][1]]
    assert counter.receive({**fetched, "lines": stranger}).json["code"] == "return_line_unknown"


def test_a_line_is_inspected_once(counter):
    received = counter.receive(
        counter.picked_up(counter.sell([a_sold_line(), a_sold_line(lot="L2")]), [1, 1])
    ).json
    half = counter.inspect(received, only=[0]).json
    assert half["state"] == "received"
    again = counter.inspect(received, only=[0], person="wu")
    assert (again.status_code, again.json["code"]) == (409, "return_line_step_not_allowed")
