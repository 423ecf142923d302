"""A receipt that should not have been rung up is voided: whole, on its day, by a second person; the books are as before it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.clock import business_date, utc_now
from tests.support import refunding
from tests.support.finance_builders import a_line, money, refused

pytestmark = pytest.mark.requirement("F22")

NOW = utc_now()
TODAY = str(business_date(NOW))
REASON = "同一商品扫了两次"


def sold(office, **odd):
    return office.sell(**{"sold_at": NOW.isoformat(), **odd})


def void(office, sale, *, role="store_manager", **identity):
    return office.post(f"/v1/sales/{sale['sale_id']}/void", {"reason": REASON}, role=role, **identity)


def voided(office, sale):
    answer = void(office, sale)
    assert answer.status_code == 200, answer.json
    return answer.json


def balances(office):
    """Every account that is not zero."""
    return dict(
        office.rows(
            "select account, sum(debit_fen - credit_fen)::bigint from journal_lines group by account"
            " having sum(debit_fen - credit_fen) <> 0"
        )
    )


def told_of(office, sale):
    return office.rows(
        "select data, amount_fen, day::text from outbox where type = 'finance.refund.paid.v1'"
        " and data ->> 'sale_id' = :id",
        id=sale["sale_id"],
    )


def test_the_counter_pays_a_voided_receipt_back_and_the_books_are_as_before_it(office):
    before = balances(office)
    sale = sold(office, tenders=[{"tender": "wechat", "amount": money(3900)}])
    refund = voided(office, sale)
    assert (refund["kind"], refund["state"], refund["total"]) == ("void", "approved", money(3900))
    assert [(line["quantity"], line["disposition"]) for line in refund["lines"]] == [(2, "restock")]
    [_, approved] = refund["steps"]
    assert (approved["actor"], approved["detail"]) == (
        "the-store_manager",
        {"role": "store_manager", "reason": REASON},
    )
    assert told_of(office, sale) == []
    parts = [{"tender": "wechat", "reference": refunding.reference_for("wechat")}]
    paid = refunding.pay(office, refund["refund_id"], parts, role="cashier")
    assert (paid.status_code, paid.json["state"]) == (200, "paid")
    assert balances(office) == before
    [(event, fen, day)] = told_of(office, sale)
    assert (fen, day, event["kind"], event["total_fen"]) == (3900, TODAY, "void", 3900)
    assert event["return_id"] == event["refund_id"] == refund["refund_id"]
    assert event["tenders"] == [{"tender": "wechat", "fen": 3900}]
    shown = office.get(f"/v1/sales/{sale['sale_id']}").json
    assert (shown["total"], shown["refunded"]) == (money(3900), money(3900))


def test_every_tender_of_a_voided_receipt_gets_back_just_what_it_paid(office):
    tenders = [{"tender": "alipay", "amount": money(1301)}, {"tender": "wechat", "amount": money(2599)}]
    refund = voided(office, sold(office, tenders=tenders))
    assert {part["tender"]: part["amount"] for part in refund["parts"]} == {
        "alipay": money(1301),
        "wechat": money(2599),
    }


def test_who_rang_it_up_does_not_void_it_and_who_voids_it_does_not_pay_it(office):
    sale = office.sell_as("a-manager", sold_at=NOW.isoformat())
    refused(void(office, sale, person="a-manager"), 403, "approval_same_person")
    refund = voided(office, sale)
    parts = [{"tender": "wechat", "reference": refunding.reference_for("wechat")}]
    answer = refunding.pay(
        office, refund["refund_id"], parts, role="store_manager", person="the-store_manager"
    )
    refused(answer, 403, "approval_same_person")


@pytest.mark.parametrize("role", ["till", "cashier", "accountant", "finance_head"])
def test_only_the_manager_of_the_shop_voids(office, role):
    refused(void(office, sold(office), role=role), 403, "role_not_admitted")


def test_a_receipt_of_another_day_is_not_voided(office):
    refused(void(office, sold(office, sold_at="2026-03-03T02:15:00Z")), 409, "void_too_late")


def test_a_receipt_of_another_branch_is_not_there(office):
    refused(void(office, sold(office), branches=("S002",)), 404, "sale_not_found")


def test_a_receipt_is_voided_once(office):
    sale = sold(office)
    voided(office, sale)
    refused(void(office, sale), 409, "sale_already_refunded")
    assert told_of(office, sale) == []


def test_a_receipt_of_which_something_came_back_is_not_voided(office):
    sale = sold(office)
    refunding.told(office, office.settled(sale, [(0, 1, "restock", 1725, 225, 1150)], settled_on=TODAY))
    refused(void(office, sale), 409, "sale_already_refunded")


def test_what_was_voided_is_not_returned(office):
    sale = sold(office)
    voided(office, sale)
    told = office.settled(sale, [(0, 1, "restock", 1725, 225, 1150)], settled_on=TODAY)
    assert office.hear(told).parked == 1


def test_two_managers_at_once_void_a_receipt_once(office):
    sale = sold(office)
    with ThreadPoolExecutor(4) as together:
        answers = list(together.map(lambda n: void(office, sale, person=f"manager-{n}"), range(4)))
    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]
    assert (
        office.value("select count(*) from refunds where sale_id = cast(:id as uuid)", id=sale["sale_id"])
        == 1
    )


def test_a_receipt_worth_nothing_is_voided_at_once(office):
    gift = a_line(unit_price=money(0), discount=money(0), product={"category": "device"})
    sale = sold(office, lines=[gift])
    refund = voided(office, sale)
    assert (refund["kind"], refund["state"]) == ("void", "paid")
    assert [event["tenders"] for event, _, _ in told_of(office, sale)] == [[]]
