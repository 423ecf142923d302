"""A settled return becomes a refund: verified and owed, then approved and paid by people to the original tenders, once."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text

from finance.app import SERVICE
from shared.clock import business_date, utc_now
from shared.identity import system_actor
from shared.transaction import Tx
from tests.support import refunding
from tests.support.finance_builders import a_line, money

TODAY = str(business_date(utc_now()))
HALF = (0, 1, "restock", 1725, 225, 1150)
REST = (0, 1, "destroy", 1726, 224, 1150)


def sold(office, **odd):
    return office.sell(
        tenders=[{"tender": "cash", "amount": money(1300)}, {"tender": "wechat", "amount": money(2600)}],
        **odd,
    )


def entry_of(office, return_id, kind):
    return {
        account: (debit, credit)
        for account, debit, credit in office.rows(
            "select l.account, sum(l.debit_fen)::bigint, sum(l.credit_fen)::bigint from refunds r"
            " join journal_entries e on e.source_id = r.refund_id"
            "  or e.source_id in (select payment_id from refund_payments p where p.refund_id = r.refund_id)"
            " join journal_lines l on l.entry_id = e.id where r.return_id = :id and e.kind = :kind group by 1",
            id=return_id,
            kind=kind,
        )
    }


@pytest.mark.requirement("F22")
def test_a_refund_reverses_the_sale_and_goes_back_where_the_money_came_from(office):
    sale = sold(office)
    told = office.settled(sale, [HALF])
    [refund_id] = refunding.told(office, told)
    return_id = told.data["return_id"]
    assert refunding.refund(office, refund_id)["state"] == "verified"
    assert entry_of(office, return_id, "refund_due") == {
        "6001": (1725, 0),
        "2221.01.01": (225, 0),
        "2241.01": (0, 1950),
        "1405": (1150, 0),
        "6401": (0, 1150),
    }
    assert entry_of(office, return_id, "refund_paid") == {}
    assert paid_events(office, return_id) == []
    refunding.pay_all(office, refund_id, paid_on="2026-03-12")
    assert entry_of(office, return_id, "refund_paid") == {
        "2241.01": (1950, 0),
        "1001": (0, 650),
        "1012.01": (0, 1300),
    }
    [(event, amount, day)] = paid_events(office, return_id)
    assert (amount, day, event["total_fen"], event["sale_id"]) == (1950, TODAY, 1950, sale["sale_id"])
    assert event["lines"][0]["disposition"] == "restock"
    assert event["tenders"] == [{"tender": "cash", "fen": 650}, {"tender": "wechat", "fen": 1300}]
    shown = refunding.refund(office, refund_id)
    assert (shown["state"], shown["unpaid"]) == ("paid", money(0))
    assert [step["step"] for step in shown["steps"]] == ["verified", "approved", "paying", "paid"]
    assert office.get(f"/v1/sales/{sale['sale_id']}").json["refunded"] == money(1950)


def paid_events(office, return_id):
    return office.rows(
        "select data, amount_fen, day::text from outbox where type = 'finance.refund.paid.v1' and data ->> 'return_id' = :id",
        id=return_id,
    )


@pytest.mark.requirement("F22")
def test_a_return_told_twice_is_refunded_once(office):
    told = office.settled(sold(office), [HALF])
    office.hear(told)
    assert office.hear(told).duplicates == 1
    retold = office.envelope(told.type, told.data)
    assert office.hear(retold).parked == 0
    assert office.value("select count(*) from refunds where return_id = :id", id=told.data["return_id"]) == 1


@pytest.mark.requirement("F22", "X3")
def test_a_return_told_again_to_finance_as_it_was_before_is_the_same_refund(office):
    told = office.settled(sold(office), [HALF])

    def refund_id(conn):
        asked = text("select refund_id from refunds where return_id = :id")
        return conn.execute(asked, {"id": told.data["return_id"]}).scalar_one()

    with office.database.engine.connect() as conn, conn.begin() as lost:
        SERVICE.handle(Tx(conn=conn, actor=system_actor("finance"), now=utc_now()), [told])
        before = refund_id(conn)
        lost.rollback()
    assert office.hear(replace(told, event_id=uuid4(), seq=told.seq + 1_000_000)).fresh == 1
    with office.database.begin() as conn:
        assert refund_id(conn) == before


@pytest.mark.requirement("F22")
def test_any_order_of_returns_gives_the_money_back_exactly(office):
    books = set()
    for order in itertools.permutations([HALF, REST]):
        sale = sold(office)
        refunds = refunding.told(office, *(office.settled(sale, [taken]) for taken in order))
        refunding.pay_all(office, *refunds)
        back = office.rows(
            "select tender, sum(fen)::bigint from refund_tenders join refunds using (refund_id)"
            " where sale_id = cast(:id as uuid) group by tender order by tender",
            id=sale["sale_id"],
        )
        assert back == [("cash", 1300), ("wechat", 2600)]
        books.add(
            tuple(
                office.rows(
                    "select l.account, sum(debit_fen - credit_fen)::bigint from journal_lines l"
                    " join journal_entries e on e.id = l.entry_id where e.source_id = cast(:id as uuid)"
                    " or e.source_id in (select refund_id from refunds where sale_id = cast(:id as uuid))"
                    " or e.source_id in (select payment_id from refund_payments join refunds using (refund_id)"
                    "  where sale_id = cast(:id as uuid))"
                    " group by 1 order by 1",
                    id=sale["sale_id"],
                )
            )
        )
    # everything is back but the goods that were destroyed
    assert [dict(each) for each in books] == [
        {
            "1001": 0,
            "1012.01": 0,
            "1405": -1150,
            "1901": 1150,
            "2221.01.01": 0,
            "2241.01": 0,
            "6001": 0,
            "6401": 0,
        }
    ]


REFUSED = [
    ([(0, 3, "restock", 3451, 449, 2300)], {}, "refund_exceeds_sale"),
    ([(0, 1, "restock", 3452, 0, 0)], {}, "refund_exceeds_sale"),
    ([(0, 1, "restock", 0, 450, 0)], {}, "refund_exceeds_sale"),
    ([(0, 1, "restock", 0, 0, 2301)], {}, "refund_exceeds_sale"),
    ([HALF, (0, 2, "restock", 0, 0, 0)], {}, "refund_exceeds_sale"),
    ([HALF], {"lot": "L2"}, "refund_of_what_was_not_sold"),
    ([HALF], {"refund_fen": 1951}, "refund_amount_differs"),
    ([HALF], {"sale_id": str(uuid4())}, "sale_not_found"),
    ([HALF], {"settled_on": None}, "invalid_payload"),
]


@pytest.mark.requirement("F22")
@pytest.mark.parametrize(("taken", "odd", "code"), REFUSED)
def test_a_refund_of_more_than_was_sold_is_parked_with_its_reason(office, taken, odd, code):
    sale = sold(office)
    told = office.settled(sale, taken, **odd)
    assert office.hear(told).parked == 1
    assert office.rows(
        "select reason_code from parked_events where event_id = :id", id=str(told.event_id)
    ) == [(code,)]
    assert (
        office.value("select count(*) from refunds where sale_id = cast(:id as uuid)", id=sale["sale_id"])
        == 0
    )


@pytest.mark.requirement("F22")
def test_a_second_return_gets_only_what_the_first_left(office):
    sale = sold(office)
    office.hear(office.settled(sale, [HALF]))
    assert office.hear(office.settled(sale, [(0, 2, "restock", 1726, 224, 1150)])).parked == 1
    assert office.hear(office.settled(sale, [REST])).parked == 0
    assert office.hear(office.settled(sale, [(0, 1, "restock", 0, 0, 0)])).parked == 1


def test_a_refund_of_a_credit_sale_lowers_the_customers_debt(office):
    office.hear(office.permit())
    sale = office.sell(
        customer_id="0199b1c0-0000-7000-8000-000000000001",
        tenders=[{"tender": "credit", "amount": money(3900)}],
        lines=[a_line()],
    )
    told = office.settled(sale, [HALF])
    refunding.pay_all(office, *refunding.told(office, told))
    [(customer, credit)] = office.rows(
        "select l.customer_id::text, l.credit_fen from refunds r join refund_payments p using (refund_id)"
        " join journal_entries e on e.source_id = p.payment_id"
        " join journal_lines l on l.entry_id = e.id where r.return_id = :id and l.account = '1122'",
        id=told.data["return_id"],
    )
    assert (customer, credit) == ("0199b1c0-0000-7000-8000-000000000001", 1950)


@pytest.mark.requirement("F22")
def test_two_consumers_with_two_returns_of_the_same_goods_refund_one(office):
    for _ in range(5):
        sale = sold(office)
        told = [office.settled(sale, [(0, 2, "restock", 3451, 449, 2300)]) for _ in range(2)]
        with ThreadPoolExecutor(2) as consumers:
            results = list(consumers.map(office.hear, told))
        assert sorted(result.parked for result in results) == [0, 1]
        assert office.get(f"/v1/sales/{sale['sale_id']}").json["refunded"] == money(3900)


def test_permissions_told_in_any_order_and_often_end_the_same(office):
    def row(customer_id):
        return office.rows(
            "select version, kind, allowed, categories, valid_until from trade_permissions"
            " where customer_id = cast(:id as uuid)",
            id=customer_id,
        )

    news = [{"allowed": False}, {"categories": ["rx", "otc"]}, {"valid_until": "2026-12-31"}]
    seen = set()
    for order in itertools.permutations([0, 1, 2, 1]):
        customer_id = str(uuid4())
        office.hear(*(office.permit(customer_id, version=index + 1, **news[index]) for index in order))
        seen.add(str(row(customer_id)))
    assert len(seen) == 1
