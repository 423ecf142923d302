"""A lot off sale is not sold, and what was sold before is booked and named to quality assurance."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest

from finance.stop_sales import store
from shared.clock import utc_now
from shared.errors import DomainError
from tests.support.finance_builders import a_line, a_receipt, money, ndjson
from tests.support.ordering import SalesDesk, a_parcel, an_order_line

NOW = utc_now()


def ordered(office, lots, *, product="P-1", stop_id=None, at=None, version=1):
    data = {
        "stop_sale_id": stop_id or str(uuid4()),
        "product_id": product,
        "lots": list(lots),
        "reason": "片剂变色",
        "ordered_at": (at or utc_now()).isoformat(),
    }
    return office.envelope("returns.stop_sale.ordered.v1", data, version=version)


def lifted(office, order):
    kept = {name: order.data[name] for name in ("stop_sale_id", "product_id", "lots")}
    data = {**kept, "lifted_at": utc_now().isoformat()}
    return office.envelope("returns.stop_sale.lifted.v1", data, version=2)


def a_lot():
    return f"L-{uuid4().hex[:8]}"


def spellings(lot):
    """Ways to type a lot, as it is printed last."""
    wide = "".join(chr(ord(each) + 0xFEE0) for each in lot)
    return [lot.lower(), wide, f" {lot} ", f"{lot[:3]} {lot[3:]}", lot.replace("-", "\u2013"), lot]


def of_lot(*lots, at=None, product="P-1", **odd):
    lines = [
        a_line(lot=lot, quantity=1, discount=money(0), expiry="2099-12-31", product={"product_id": product})
        for lot in lots
    ]
    return a_receipt(lines=lines, sold_at=(at or utc_now()).isoformat(), **odd)


def code_of(office, receipt):
    answer = office.post("/v1/sales", receipt)
    return None if answer.status_code == 201 else answer.json["code"]


@pytest.mark.requirement("X11", "F27")
def test_a_stopped_lot_is_refused_by_name_and_nothing_of_the_receipt_is_kept(office):
    bad, good = a_lot(), a_lot()
    assert code_of(office, of_lot(bad)) is None
    stop = ordered(office, [bad])
    office.hear(stop)
    receipt = of_lot(good, bad)
    answer = office.post("/v1/sales", receipt)
    assert (answer.status_code, answer.json["code"]) == (409, "lot_stopped")
    assert answer.json["lots"] == [{"product_id": "P-1", "lot": bad}]
    number = receipt["receipt_number"]
    assert office.value("select count(*) from receipts where receipt_number = :n", n=number) == 0
    assert code_of(office, of_lot(good)) is None
    assert code_of(office, of_lot(bad, product="P-2")) is None  # the number of another product's lot
    office.hear(lifted(office, stop))
    assert code_of(office, receipt) is None


@pytest.mark.requirement("X11")
def test_a_lifted_stop_stays_lifted_in_any_order_and_another_stop_stands(office):
    for order in permutations((0, 1, 2)):
        lot = a_lot()
        one, other = ordered(office, [lot]), ordered(office, [lot])
        told = [one, lifted(office, one), other]
        office.hear(*(told[index] for index in order))
        assert code_of(office, of_lot(lot)) == "lot_stopped"
        office.hear(lifted(office, other))
        assert code_of(office, of_lot(lot)) is None


def test_credits_and_stops_of_a_batch_are_what_they_are_one_by_one(office):
    chance = random.Random(7)

    def kept(told):
        with office.database.begin() as conn:
            conn.exec_driver_sql("delete from credit_limits")
            conn.exec_driver_sql("delete from stopped_lots")
        for batch in told:
            assert (
                office.hear(*(replace(each, seq=office.envelope(each.type, {}).seq) for each in batch)).parked
                == 0
            )
        return [
            office.rows(f"select to_jsonb(t)::text from {table} t order by 1")
            for table in ("credit_limits", "stopped_lots")
        ]

    told = []
    for _ in range(4):
        stop, customer = ordered(office, [a_lot(), a_lot()]), str(uuid4())
        told += [stop, lifted(office, stop)][: chance.randint(1, 2)]
        told += [office.grant(customer, 100 * version, version=version) for version in (1, 2, 3)]
    wanted = kept([[each] for each in told])
    assert [len(rows) for rows in wanted] == [4, 8]
    for _ in range(3):
        again = [replace(each, event_id=uuid4()) for each in told + told[:3]]
        chance.shuffle(again)
        assert kept([again]) == wanted
    with office.database.begin() as conn:
        conn.exec_driver_sql("delete from stopped_lots")


@pytest.mark.requirement("X11")
def test_an_upload_refuses_the_receipts_of_stopped_lots_alone(office):
    bad, good = a_lot(), a_lot()
    office.hear(ordered(office, [bad], at=NOW - timedelta(hours=1)))
    receipts = [of_lot(good), of_lot(bad, good), of_lot(good), of_lot(bad, at=NOW - timedelta(hours=2))]
    results = office.results(ndjson(receipts))
    assert [each["state"] for each in results] == ["posted", "refused", "posted", "posted"]
    assert (results[1]["code"], results[1]["lots"]) == ("lot_stopped", [{"product_id": "P-1", "lot": bad}])


@pytest.mark.requirement("X11")
def test_what_an_offline_till_sold_before_the_stop_is_booked_and_named(office):
    lot = a_lot()
    before = office.post("/v1/sales", of_lot(lot, at=NOW - timedelta(hours=3))).json
    office.hear(ordered(office, [lot]))
    late = office.post("/v1/sales", of_lot(lot, at=NOW - timedelta(hours=2), branch_id="S002"))
    assert late.status_code == 201
    assert code_of(office, of_lot(lot)) == "lot_stopped"

    def named(query="", **identity):
        answer = office.get(f"/v1/stopped-lot-sales?lot={lot}{query}", role="qa", **identity)
        assert answer.status_code == 200, answer.json
        return [(each["sale_id"], each["branch_id"], each["is_after_stop"]) for each in answer.json["items"]]

    first, second = (before["sale_id"], "S001", False), (late.json["sale_id"], "S002", True)
    assert named() == [first, second]
    assert named("&is_after_stop=true") == [second]
    assert named(branches=("S001",)) == [first]
    page = office.get(f"/v1/stopped-lot-sales?lot={lot}&limit=1", role="qa").json
    assert named(f"&cursor={page['next_cursor']}") == [second]
    assert page["items"][0].keys().isdisjoint({"customer_id", "posted_by"})
    odd = office.get("/v1/stopped-lot-sales?cursor=WyJ4IiwxXQ", role="qa")
    assert (odd.status_code, odd.json["code"]) == (422, "cursor_invalid")


@pytest.mark.requirement("X11", "F27")
def test_require_free_judges_lots_at_an_instant(office):
    lot, free = a_lot(), a_lot()
    office.hear(ordered(office, [lot], at=NOW))
    with office.database.begin() as conn:
        store.require_free(conn, [], NOW)
        store.require_free(conn, [("P-1", free), ("P-2", lot)], NOW)
        store.require_free(conn, [("P-1", lot)], NOW - timedelta(seconds=1))
        with pytest.raises(DomainError) as refused:
            store.require_free(conn, [("P-1", lot), ("P-1", free)], NOW)
    assert refused.value.context["lots"] == [{"product_id": "P-1", "lot": lot}]


@pytest.mark.requirement("X11", "F27")
def test_no_spelling_of_a_stopped_lot_passes_till_or_upload(office):
    lot = a_lot().upper()
    typed = spellings(lot)
    stop = ordered(office, [f"{lot.lower()} ", lot], at=NOW - timedelta(hours=1))
    assert office.hear(stop).parked == 0
    for each in typed:
        answer = office.post("/v1/sales", of_lot(each))
        assert (answer.status_code, answer.json["code"]) == (409, "lot_stopped")
        assert answer.json["lots"] == [{"product_id": "P-1", "lot": each}]
    results = office.results(ndjson([of_lot(each) for each in typed]))
    assert [each["code"] for each in results] == ["lot_stopped"] * len(typed)
    office.hear(lifted(office, stop))
    assert [code_of(office, of_lot(each)) for each in typed] == [None] * len(typed)


@pytest.mark.requirement("X11", "F27")
def test_what_was_sold_of_a_stopped_lot_is_named_however_it_was_typed(office):
    lot = a_lot().upper()
    typed = spellings(lot)
    sold = [office.post("/v1/sales", of_lot(each)).json["sale_id"] for each in typed]
    assert {each["state"] for each in office.results(ndjson([of_lot(each) for each in typed]))} == {"posted"}
    office.hear(ordered(office, [lot]))
    for asked in (lot, typed[1]):
        items = office.get(f"/v1/stopped-lot-sales?lot={asked}", role="qa").json["items"]
        assert sold == [each["sale_id"] for each in items][: len(sold)]
        assert [each["lot"] for each in items] == typed * 2  # as the tills wrote it
        lines = office.get(f"/v1/sale-lines?product_id=P-1&lot={asked}").json["items"]
        assert len(lines) == len(items)


@pytest.mark.requirement("X11", "F10")
def test_no_spelling_of_a_stopped_lot_passes_an_order_or_leaves_with_one(office):
    desk = SalesDesk(office)
    product, lot = desk.price(), a_lot().upper()
    named = desk.confirmed(an_order_line(product, lots=[{"lot": lot, "expiry": "2099-12-31"}]))
    assert desk.ship(named, a_parcel(quantity=1, lot=lot.lower())).status_code == 201
    free = desk.confirmed(an_order_line(product))
    stop = ordered(office, [lot], product=product)
    office.hear(stop)
    for each in spellings(lot):
        draft = desk.drafted(an_order_line(product, lots=[{"lot": each, "expiry": "2099-12-31"}]))
        assert desk.faults(desk.confirm(draft)) == ["lot_stopped"]
        sent = desk.ship(free, a_parcel(lot=each))
        assert (sent.status_code, sent.json["code"]) == (409, "lot_stopped")
