"""Refunds when returns' log lost its end: what is unpaid is owed no more, what is paid is named, and told again it is itself."""

from uuid import UUID, uuid4

import pytest

from finance.refunds import queries
from finance.refunds.commands import paying
from finance.refunds.rules import Payment
from shared.clock import business_date, month_of, utc_now
from tests.support import refunding
from tests.support.finance_builders import a_line, a_receipt, money, refused
from tests.support.waiting import acts, the_second_waits

pytestmark = pytest.mark.requirement("X3", "F22")

HALF = (0, 1, "restock", 1725, 225, 1150)
WHOLE = (0, 2, "destroy", 3451, 449, 2300)
TODAY = business_date(utc_now())


@pytest.fixture(scope="module", autouse=True)
def safe(office):
    body = {"branch_id": "S001", "kind": "bank_withdrawal", "amount": money(1_000_000)}
    assert office.post("/v1/safe-movements", body, role="cashier").status_code == 201


@pytest.fixture
def sale(office):
    return office.sell()


def settled(office, sale, *taken, return_id=None):
    return office.settled(sale, taken, return_id=return_id, settled_on=str(TODAY))


def forget(office, *told, again=()):
    """What `log accept returns` does about these events; those of `again` come again under another number."""
    lost = [refunding.lost_of(each, each.seq + 1 if each in again else None) for each in told]
    with office.database.begin() as conn:
        notes = refunding.accepted(conn, lost)
        queries.require_agreement(conn, month_of(TODAY))
    return [each for each in notes if each.get("stays") == "refund" or "withdrawn" in each]


def booked(office):
    """What all entries of this month together say, by account."""
    return {account: fen for account, fen in office.balances(f"{TODAY:%Y-%m}").items() if fen}


def events(office, refund_id):
    return office.rows(
        "select type, version, amount_fen, data from outbox where subject = :id order by version",
        id=refund_id,
    )


def test_an_unpaid_refund_is_owed_no_more_and_the_books_are_as_before(office, sale):
    before = booked(office)
    back = settled(office, sale, HALF)
    [refund_id] = refunding.told(office, back)
    refunding.approve(office, refund_id)
    [note] = forget(office, back)
    assert note == {
        "withdrawn": "refund",
        "refund_id": refund_id,
        "return_id": back.data["return_id"],
        "amount_fen": 1950,
        "caused_by_seq": back.seq,
    }
    assert booked(office) == before
    shown = refunding.refund(office, refund_id)
    assert (shown["state"], shown["total"], shown["unpaid"], shown["lines"]) == (
        "withdrawn",
        money(0),
        money(0),
        [],
    )
    assert shown["steps"][-1]["detail"] == {"lost_event_id": str(back.event_id), "total_fen": 1950}
    [(kind, version, amount_fen, data)] = events(office, refund_id)
    assert (kind, version, amount_fen) == ("finance.refund.withdrawn.v1", shown["version"], 1950)
    assert data["lost_event_id"] == str(back.event_id)
    unpaid = office.get(f"/v1/refunds?unpaid=true&sale_id={sale['sale_id']}").json["items"]
    assert unpaid == []
    vat = office.get(f"/v1/vat-figures?month={TODAY:%Y-%m}").json
    assert vat["agrees"], vat
    refused(refunding.pay(office, refund_id, [{"tender": "cash"}]), 409, "refund_step_not_awaited")
    assert forget(office, back) == [], "made good once"
    assert booked(office) == before


def test_the_return_that_is_settled_again_is_the_same_refund_for_what_it_comes_to_now(office, sale):
    first = settled(office, sale, HALF)
    [refund_id] = refunding.told(office, first)
    forget(office, first)
    again = settled(office, sale, WHOLE, return_id=first.data["return_id"])
    assert refunding.told(office, again) == [refund_id]
    shown = refunding.refund(office, refund_id)
    assert (shown["state"], shown["total"], shown["unpaid"]) == ("verified", money(3900), money(3900))
    assert [line["quantity"] for line in shown["lines"]] == [2]
    refunding.pay_all(office, refund_id)
    _, (kind, version, amount_fen, data) = events(office, refund_id)
    assert (kind, version, amount_fen) == (
        "finance.refund.paid.v1",
        refunding.refund(office, refund_id)["version"],
        3900,
    )
    assert [line["net_fen"] for line in data["lines"]] == [3451]
    [note] = forget(office, again)
    assert (note["stays"], note["paid_fen"], note["caused_by_seq"]) == ("refund", 3900, again.seq)


def test_it_may_be_lost_and_settled_as_often_as_it_is(office, sale):
    before, return_id = booked(office), str(uuid4())
    for _ in range(3):
        back = settled(office, sale, WHOLE, return_id=return_id)
        [refund_id] = refunding.told(office, back)
        forget(office, back)
        assert booked(office) == before
    assert [kind.split(".")[2] for kind, *_ in events(office, refund_id)] == ["withdrawn"] * 3


def test_goods_whose_return_was_forgotten_are_refunded_by_a_new_return(office, sale):
    lost = settled(office, sale, WHOLE)
    refunding.told(office, lost)
    assert office.hear(settled(office, sale, WHOLE)).parked == 1, "both at once would be more than was sold"
    forget(office, lost)
    assert office.hear(settled(office, sale, WHOLE)).parked == 0


def test_what_was_paid_stays_and_is_listed_until_its_return_is_settled_again(office, sale):
    back = settled(office, sale, HALF)
    [refund_id] = refunding.told(office, back)
    refunding.pay_all(office, refund_id)
    before = booked(office)
    [note] = forget(office, back)
    assert (note["stays"], note["refund_id"], note["paid_fen"]) == ("refund", refund_id, 1950)
    assert booked(office) == before
    assert marked(office, sale) == [refund_id]
    assert forget(office, back) == [], "named once"
    other = settled(office, sale, WHOLE, return_id=back.data["return_id"])
    assert office.hear(other).parked == 1, "that would be another refund than was paid"
    assert marked(office, sale) == [refund_id]
    again = settled(office, sale, HALF, return_id=back.data["return_id"])
    assert office.hear(again).parked == 0
    assert marked(office, sale) == []
    assert refunding.refund(office, refund_id)["state"] == "paid"
    assert booked(office) == before


def test_of_a_refund_that_is_paid_in_part_the_rest_is_held(office):
    line = a_line()
    tenders = [{"tender": "wechat", "amount": money(2000)}, {"tender": "cash", "amount": money(1900)}]
    sale = office.post("/v1/sales", a_receipt(lines=[line], tenders=tenders)).json
    back = settled(office, sale, WHOLE)
    [refund_id] = refunding.told(office, back)
    refunding.approve(office, refund_id)
    assert refunding.pay(office, refund_id).status_code == 200
    [note] = forget(office, back)
    assert (note["stays"], note["paid_fen"], note["amount_fen"]) == ("refund", 2000, 3900)
    shown = refunding.refund(office, refund_id)
    assert (shown["state"], shown["unpaid"]) == ("held", money(1900))
    assert marked(office, sale) == [refund_id]
    assert office.hear(settled(office, sale, WHOLE, return_id=back.data["return_id"])).parked == 0
    assert marked(office, sale) == []
    refused(refunding.pay(office, refund_id, role="cashier"), 409, "refund_step_not_awaited")


def test_what_is_paid_while_the_loss_is_accepted_stays(office):
    tenders = [{"tender": "wechat", "amount": money(2000)}, {"tender": "cash", "amount": money(1900)}]
    sale = office.post("/v1/sales", a_receipt(lines=[a_line()], tenders=tenders)).json
    back = settled(office, sale, WHOLE)
    [refund_id] = refunding.told(office, back)
    refunding.approve(office, refund_id)
    part = Payment(tender="wechat", reference=f"CH-{uuid4().hex}")
    pays = acts("accountant", paying.pay, UUID(refund_id), [part])
    assert (
        the_second_waits(office, pays, lambda conn: refunding.accepted(conn, [refunding.lost_of(back)]))
        is None
    )
    shown = refunding.refund(office, refund_id)
    assert (shown["state"], shown["unpaid"]) == ("held", money(1900))


def test_a_settlement_that_comes_again_under_another_number_is_not_lost(office, sale):
    back = settled(office, sale, HALF)
    [refund_id] = refunding.told(office, back)
    assert forget(office, back, again=[back]) == []
    assert refunding.refund(office, refund_id)["state"] == "verified"


def marked(office, sale):
    found = office.get(f"/v1/refunds?cause_lost=true&sale_id={sale['sale_id']}").json["items"]
    return [each["refund_id"] for each in found]
