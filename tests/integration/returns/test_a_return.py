"""A return from request to archive, over HTTP, on real PostgreSQL."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from returns.app import SERVICE
from returns.notices.tables import HISTORY_CHAIN
from shared import chain
from tests.support.returns_builders import a_sold_line
from tests.support.roles import behind


def events_of(counter, notice_id):
    with counter.database.begin() as conn:
        return conn.execute(
            text("select type, version, amount_fen, data from outbox where subject = :id order by version"),
            {"id": notice_id},
        ).all()


@pytest.mark.requirement("R2", "R3", "R4", "R6", "R8", "R10", "R16", "R27")
def test_a_wholesale_return_goes_from_request_to_archive(counter):
    sale = counter.sell()
    notice = counter.request(sale, [3])
    assert (notice.status_code, notice.json["state"]) == (201, "requested")
    assert notice.json["lines"][0]["quantity"] == 3
    approved = counter.post(
        f"/{notice.json['return_id']}/decisions", {"decision": "approved"}, role="business_head"
    ).json
    assert approved["state"] == "requested"
    approved = counter.post(
        f"/{notice.json['return_id']}/decisions", {"decision": "approved"}, role="qa"
    ).json
    assert approved["state"] == "pickup_ordered"
    assert approved["pickup"]["due_at"] > approved["pickup"]["ordered_at"]
    told = {row.type.split(".")[2]: row.data for row in events_of(counter, approved["return_id"])}
    assert told["approved"]["needs_pickup"] is True
    assert told["approved"]["pickup_due_at"] == approved["pickup"]["due_at"]
    assert told["decided"]["decision"] == "approved"
    assert told["decided"]["business_s"] == 0, "at once"
    fetched = counter.post(f"/{approved['return_id']}/pick-up", role="storekeeper").json
    assert fetched["pickup"]["on_time"] is True
    received = counter.receive(fetched).json
    assert (received["state"], received["receipt"]["quarantine_location"]) == ("received", "RQ-1")
    inspected = counter.inspect(received).json
    assert (inspected["state"], inspected["lines"][0]["result"]) == ("inspected", "pass")
    disposed = counter.dispose(inspected, "restock").json
    assert disposed["state"] == "dispositioned"
    settled = counter.settle(disposed).json
    assert (settled["state"], settled["refund"]) == ("settled", {"fen": 339, "currency": "CNY"})
    counter.pay(settled)
    archived = counter.get(f"/{settled['return_id']}").json
    assert (archived["state"], archived["refund_id"]) == ("archived", "F-1")
    assert [row["version"] for row in archived["history"]] == list(range(1, len(archived["history"]) + 1))
    types = [row.type.split(".")[2] for row in events_of(counter, settled["return_id"])]
    assert types == [
        "requested",
        "decided",
        "decided",
        "approved",
        "pickup_confirmed",
        "received",
        "inspected",
        "dispositioned",
        "settled",
    ]
    last = events_of(counter, settled["return_id"])[-1]
    assert last.amount_fen == last.data["refund_fen"] == 339
    assert last.data["lines"][0]["disposition"] == "restock"


@pytest.mark.requirement("R4", "R13")
def test_a_retail_return_is_received_at_the_counter_without_a_pickup(counter):
    sale = counter.sell(customer_id=None)
    notice = counter.approved(sale, [1], kind="retail", reason="quality_defect.packaging")
    assert (notice["state"], notice["pickup"]) == ("approved", None)
    assert counter.receive(notice).json["state"] == "received"


@pytest.mark.requirement("R4")
def test_two_persons_approve_and_neither_is_the_requester(counter):
    notice = counter.request(counter.sell(), person="wang").json
    path = f"/{notice['return_id']}/decisions"
    own = counter.post(path, {"decision": "approved"}, role="business_head", person="wang")
    assert (own.status_code, own.json["code"]) == (403, "approval_same_person")
    assert counter.post(path, {"decision": "approved"}, role="business_head", person="ma").status_code == 200
    twice = counter.post(path, {"decision": "approved"}, role="qa", person="ma")
    assert (twice.status_code, twice.json["code"]) == (403, "approval_same_person")
    same_post = counter.post(path, {"decision": "approved"}, role="business_head", person="hu")
    assert (same_post.status_code, same_post.json["code"]) == (403, "approval_role_not_awaited")


@pytest.mark.requirement("R4")
def test_a_rejection_needs_its_reason_and_frees_the_goods(counter):
    sale = counter.sell()
    notice = counter.request(sale, [10]).json
    path = f"/{notice['return_id']}/decisions"
    silent = counter.post(path, {"decision": "rejected"}, role="qa")
    assert (silent.status_code, silent.json["code"]) == (422, "approval_reason_missing")
    rejected = counter.post(path, {"decision": "rejected", "reason": "seal broken"}, role="qa").json
    assert rejected["state"] == "rejected"
    assert counter.request(sale, [10]).json["state"] == "requested"
    late = counter.post(path, {"decision": "approved"}, role="business_head")
    assert (late.status_code, late.json["code"]) == (409, "return_step_not_allowed")


@pytest.mark.requirement("R10")
def test_the_receiver_may_not_inspect_and_the_handlers_may_not_release(counter):
    received = counter.receive(counter.picked_up(counter.sell())).json
    own = counter.inspect(received, person="sun")
    assert (own.status_code, own.json["code"]) == (403, "receiver_may_not_inspect")
    inspected = counter.inspect(received).json
    own = counter.dispose(inspected, "destroy", person="zhou")
    assert (own.status_code, own.json["code"]) == (403, "handler_may_not_release")


@pytest.mark.requirement("X1")
@pytest.mark.parametrize("person", ["wang", "zhao", "sun", "zhou"])
def test_who_approved_received_or_inspected_does_not_settle(counter, person):
    notice = counter.inspect(counter.receive(counter.picked_up(counter.sell())).json).json
    notice = counter.dispose(notice, "destroy").json
    own = counter.post(f"/{notice['return_id']}/settle", role="store_manager", person=person)
    assert (own.status_code, own.json["code"]) == (403, "handler_may_not_settle")
    assert counter.settle(notice).json["state"] == "settled"


@pytest.mark.requirement("R10")
def test_too_small_a_sample_is_refused(counter):
    received = counter.receive(counter.picked_up(counter.sell(), [10])).json
    answer = counter.inspect(received, cases=10, cases_sampled=5)
    assert (answer.status_code, answer.json["code"], answer.json["least"]) == (422, "sample_too_small", 6)


@pytest.mark.requirement("R2", "R8")
def test_a_lot_typed_differently_is_the_lot_that_was_sold(counter):
    sale = counter.sell([a_sold_line(lot="aB-12")])
    [line] = sale["lines"]

    def asked(*lots, quantity=4):
        lines = [{"sale_line_id": line["line_id"], "lot": lot, "quantity": quantity} for lot in lots]
        return counter.request(sale, lines=lines)

    twice = asked("AB-12", "ＡＢ-12", quantity=1)
    assert (twice.status_code, twice.json["code"]) == (422, "payload_invalid")
    notice = counter.approved(
        sale, lines=[{"sale_line_id": line["line_id"], "lot": "AB - 12", "quantity": 4}]
    )
    assert notice["lines"][0]["lot"] == "aB-12"  # as it was sold
    excess = asked("ab–12", quantity=7).json
    assert (excess["state"], excess["cause"]) == ("refused", "over_quantity")
    fetched = counter.post(f"/{notice['return_id']}/pick-up", role="storekeeper").json
    arrived = counter.receive(fetched, lots={0: "ＡＢ-12 "}).json
    assert (arrived["state"], arrived["lines"][0]["receipt_cause"]) == ("received", None)


@pytest.mark.requirement("R8")
def test_goods_of_another_lot_are_refused_and_the_right_ones_may_still_come(counter):
    sale = counter.sell()
    notice = counter.receive(counter.picked_up(sale, [4]), lots={0: "FAKE"}).json
    assert (notice["state"], notice["lines"][0]["receipt_cause"]) == ("receipt_refused", "mismatch")
    assert [row.data["cause"] for row in events_of(counter, notice["return_id"]) if "cause" in row.data] == [
        "mismatch"
    ]
    assert counter.request(sale, [10]).json["state"] == "requested"


@pytest.mark.requirement("R7", "R9")
def test_cold_goods_without_evidence_are_refused_for_good(counter):
    sale = counter.sell([a_sold_line(temp_class="cold_2_8")])
    notice = counter.receive(counter.picked_up(sale, [4])).json
    assert (notice["state"], notice["lines"][0]["receipt_cause"]) == ("receipt_refused", "missing")
    again = counter.request(sale, [7]).json
    assert (again["state"], again["cause"]) == ("refused", "over_quantity")


def log_of(sale, *, step=timedelta(minutes=5), decicelsius=50):
    from datetime import datetime

    from shared.clock import utc_now

    at, samples = datetime.fromisoformat(sale["sold_at"]), []
    while at < utc_now() + step:
        samples.append({"at": at.isoformat(), "decicelsius": decicelsius})
        at += step
    return {
        "statement_ref": "doc-1",
        "log_ref": "log-1",
        "device_id": "D-7",
        "calibration_valid_until": "2099-01-01",
        "legs": [{"phase": "transport", "samples": samples}],
    }


@pytest.mark.requirement("R7")
def test_cold_goods_with_a_whole_log_are_received_and_may_be_sold_again(counter):
    sale = counter.sell([a_sold_line(temp_class="cold_2_8")])
    received = counter.receive(counter.picked_up(sale, [4]), evidence={0: log_of(sale)}).json
    assert (received["state"], received["lines"][0]["cold_chain"]["fault"]) == ("received", None)
    assert counter.dispose(counter.inspect(received).json, "restock").json["state"] == "dispositioned"


@pytest.mark.requirement("R9")
@pytest.mark.parametrize(
    ("log", "cause"), [({"decicelsius": 95}, "excursion"), ({"step": timedelta(minutes=15)}, "gap")]
)
def test_cold_goods_with_a_faulty_log_are_refused(counter, log, cause):
    sale = counter.sell([a_sold_line(temp_class="cold_2_8")])
    notice = counter.receive(counter.picked_up(sale, [4]), evidence={0: log_of(sale, **log)}).json
    assert (notice["state"], notice["lines"][0]["receipt_cause"]) == ("receipt_refused", cause)


@pytest.mark.requirement("R20")
def test_undetermined_quality_waits_for_the_laboratory_and_a_second_inspector(counter):
    received = counter.receive(counter.picked_up(counter.sell())).json
    unsure = counter.inspect(received, checks={"appearance": "undetermined"}).json
    early = counter.dispose(unsure, "destroy")
    assert (early.status_code, early.json["code"]) == (409, "lab_result_awaited")
    held = counter.dispose(unsure, "lab_hold").json
    assert (held["state"], held["lines"][0]["state"]) == ("inspected", "held")
    assert counter.inspect(held).json["code"] == "inspector_may_not_repeat"
    again = counter.inspect(held, checks={"appearance": "fail"}, person="wu").json
    assert again["lines"][0]["result"] == "fail"
    assert counter.dispose(again, "destroy").json["state"] == "dispositioned"


def test_goods_with_a_defect_or_near_their_expiry_are_not_sold_again(counter):
    sale = counter.sell()
    inspected = counter.inspect(counter.receive(counter.picked_up(sale, reason="quality_defect")).json).json
    answer = counter.dispose(inspected, "restock")
    assert (answer.status_code, answer.json["code"]) == (409, "restock_not_allowed")
    assert answer.json["faults"] == ["reason_forbids"]


def test_only_accepted_quantities_are_refunded_and_the_rest_may_come_again(counter):
    sale = counter.sell()
    received = counter.receive(counter.picked_up(sale, [6]), quantities={0: 5}).json
    disposed = counter.dispose(counter.inspect(received, accepted={0: 2}).json, "destroy").json
    settled = counter.settle(disposed).json
    assert settled["refund"]["fen"] == 226
    [line] = counter.ask("sold-lines", branch_id="S001", sale_id=sale["sale_id"]).json["items"]
    assert line["returnable"] == 8


def test_goods_of_which_nothing_is_accepted_end_the_notice_without_a_refund(counter):
    received = counter.receive(counter.picked_up(counter.sell())).json
    refused = counter.inspect(received, accepted={0: 0}, checks={"seal": "fail"}).json
    assert refused["state"] == "not_accepted"
    assert counter.settle(refused).json["code"] == "return_step_not_allowed"


def test_partial_returns_of_a_line_sum_exactly_to_the_line(counter):
    sale = counter.sell([a_sold_line(quantity=3, net_fen=1000, tax_fen=100, cost_fen=500)])
    parts = [counter.settled(sale, [1])["lines"][0] for _ in range(3)]
    assert [sum(part[name]["fen"] for part in parts) for name in ("net", "tax", "cost")] == [1000, 100, 500]
    whole = counter.sell([a_sold_line(quantity=3, net_fen=1000, tax_fen=100, cost_fen=500)])
    assert counter.settled(whole, [3])["refund"]["fen"] == 1100


def test_one_notice_takes_many_lines_of_one_sale(counter):
    sale = counter.sell([a_sold_line(), a_sold_line(lot="L2", net_fen=500, tax_fen=65)])
    settled = counter.settled(sale, [10, 10])
    assert settled["refund"]["fen"] == 1130 + 565


def test_cancelling_frees_the_goods_and_is_too_late_after_pickup(counter):
    sale = counter.sell()
    notice = counter.request(sale, [10]).json
    gone = counter.post(f"/{notice['return_id']}/cancel", {"reason": "mistake"}, role="invoicing_clerk").json
    assert gone["state"] == "cancelled"
    fetched = counter.picked_up(sale, [10])
    late = counter.post(f"/{fetched['return_id']}/cancel", {"reason": "mistake"}, role="invoicing_clerk")
    assert (late.status_code, late.json["code"]) == (409, "return_step_not_allowed")


def test_a_refund_of_another_amount_is_parked_and_changes_nothing(counter):
    settled = counter.settled(counter.sell())
    counter.pay(settled, fen=1)
    assert counter.get(f"/{settled['return_id']}").json["state"] == "settled"
    with counter.database.begin() as conn:
        assert conn.execute(text("select reason_code from parked_events")).scalars().all() == [
            "refund_differs"
        ]
        conn.execute(text("delete from parked_events"))


def test_every_fact_is_chained_and_an_altered_row_is_found(counter):
    notice = counter.settled(counter.sell())
    with counter.database.begin() as conn:
        assert chain.seal(conn, HISTORY_CHAIN) > 0
        assert list(chain.verify(conn, HISTORY_CHAIN)) == []
    assert HISTORY_CHAIN in SERVICE.chains
    with behind(counter.database) as conn:
        conn.execute(text("alter table notice_history disable trigger notice_history_guard"))
        conn.execute(
            text("update notice_history set actor = 'nobody' where notice_id = :id and version = 2"),
            {"id": notice["return_id"]},
        )
        assert [fault.kind for fault in chain.verify(conn, HISTORY_CHAIN)] == ["altered"]
        conn.rollback()


def test_the_history_cannot_be_changed(counter):
    notice = counter.request(counter.sell()).json
    for statement in (
        "update notice_history set actor = 'nobody' where notice_id = :id",
        "delete from notice_history where notice_id = :id",
    ):
        with pytest.raises(Exception, match="append-only"), behind(counter.database) as conn:
            conn.execute(text(statement), {"id": notice["return_id"]})


def test_a_repeated_request_is_answered_the_same_and_reserves_once(counter):
    sale = counter.sell()
    body = {
        "branch_id": "S001",
        "kind": "b2b",
        "receipt_number": sale["receipt_number"],
        "reason": "slow_moving",
        "package": {"unopened": True, "intact": True},
        "lines": [{"sale_line_id": sale["lines"][0]["line_id"], "lot": "L1", "quantity": 6}],
    }
    first, second = (counter.post("", body, role="invoicing_clerk", key="k-1") for _ in range(2))
    assert first.json == second.json
    assert second.headers["Idempotency-Replayed"] == "true"


def test_a_second_refund_of_a_return_is_parked_and_changes_nothing(counter):
    settled = counter.settled(counter.sell())
    counter.pay(settled, "F-1")
    counter.pay(settled, "F-2")
    assert counter.get(f"/{settled['return_id']}").json["refund_id"] == "F-1"
    with counter.database.begin() as conn:
        assert conn.execute(text("select reason_code from parked_events")).scalars().all() == [
            "return_already_refunded"
        ]
        conn.execute(text("delete from parked_events"))
