"""What was made a second ago may be on its way, though we are level with a head of four seconds ago: it is awaited."""

from datetime import timedelta

import pytest

from shared import upkeep
from shared.clock import business_date, new_id, utc_now
from shared.identity import system_actor
from shared.transaction import Tx
from tests.support.credit import a_customer, at_once
from tests.support.debtors import TODAY, days_ago, pay, sell_on_credit
from tests.support.finance_builders import Office, a_receipt, money, ndjson
from tests.support.ordering import SalesDesk, an_order_line, refused
from tests.support.watermarks import asked_a_while_ago, level_with, not_level_with

FOREIGN = "ffffffff-ffff-4fff-bfff-ffffffffffff"
"""Greater than any id of ours, and no id of ours."""
ON_CREDIT = [{"tender": "credit", "amount": money(3_900)}]


def told(answer):
    return answer.status_code, answer.json["code"]


@pytest.mark.requirement("F13")
def test_a_payment_of_a_customer_registered_a_second_ago_is_awaited_and_then_refused(office):
    stranger, reference = str(new_id()), "T-stranger"
    level_with(office.database, "customers", age_s=4)
    awaited = pay(office, stranger, 1, reference=reference)
    assert told(awaited) == (503, "customer_not_yet_known")
    assert int(awaited.headers["Retry-After"]) > 0
    assert told(pay(office, FOREIGN, 1)) == (409, "customer_unknown")
    level_with(office.database, "customers")
    assert told(pay(office, stranger, 1)) == (409, "customer_unknown")
    level_with(office.database, "customers", age_s=4)
    assert office.hear(office.permit(stranger)).parked == 0
    assert pay(office, stranger, 1, reference=reference).status_code == 201


@pytest.mark.requirement("F1")
def test_a_voucher_of_a_customer_registered_a_second_ago_is_awaited(office):
    day = str(business_date(office.value("select begins_on::timestamptz from books")))
    eve = office.value("select (begins_on - 1)::text from books")

    def drafts(customer):
        owed = {"account": "1122", "debit": money(100), "customer_id": customer, "due_on": day}
        lines = [owed, {"account": "4104", "credit": money(100)}]
        body = {"booked_on": eve, "branch_id": "S001", "summary": "期初余额", "lines": lines}
        return told(office.post("/v1/vouchers", body, role="accountant"))

    level_with(office.database, "customers", age_s=4)
    stranger = str(new_id())
    assert drafts(stranger) == (503, "customer_not_yet_known")
    assert drafts(FOREIGN) == (409, "customer_unknown")
    level_with(office.database, "customers")
    assert drafts(stranger) == (409, "customer_unknown")


@pytest.mark.requirement("F24")
def test_each_stranger_of_an_upload_is_judged_by_its_own_id(office):
    new = str(new_id())
    sold_at = utc_now().isoformat()

    def upload():
        rows = [
            a_receipt(customer_id=each, tenders=ON_CREDIT, sold_at=sold_at)
            for each in (FOREIGN, new, FOREIGN)
        ]
        return [each["code"] for each in office.results(ndjson(rows))]

    level_with(office.database, "customers", age_s=4)
    assert upload() == ["customer_unknown", "customer_not_yet_known", "customer_unknown"]
    level_with(office.database, "customers")
    assert upload() == ["customer_unknown"] * 3


@pytest.mark.requirement("F21", "C31")
@pytest.mark.parametrize("many", [False, True])
def test_credit_granted_a_second_ago_to_a_customer_of_long_ago_is_awaited(office, many):
    customer = a_customer(office, valid_until=str(TODAY - timedelta(days=1)))

    def sells():
        receipt = a_receipt(customer_id=customer, tenders=ON_CREDIT, sold_at=utc_now().isoformat())
        if many:
            return [
                each.get("code")
                for each in office.results(ndjson([receipt, receipt | {"receipt_number": "N"}]))
            ]
        return [office.post("/v1/sales", receipt).json.get("code")] * 2

    level_with(office.database, "customers", age_s=4)
    assert [sells(), sells()] == [["credit_not_yet_known"] * 2] * 2
    asked_a_while_ago(office.database)
    assert sells() == ["credit_not_granted"] * 2
    assert sells() == ["credit_not_yet_known"] * 2
    assert office.hear(office.grant(customer, version=2)).parked == 0
    assert sells() == [None] * 2


# --- what customers said before and says no ---------------------------------------------------------


def granted(**odd):
    return lambda office, customer, version: office.grant(customer, version=version, **odd)


def permitted(**odd):
    return lambda office, customer, version: office.permit(customer, version=version, **odd)


SAYS_NO = {
    "credit_limit_exceeded": (granted(limit_fen=2 * 3_900), granted(limit_fen=3 * 3_900)),
    "credit_overdue": (granted(overdue_tolerance_fen=3_899), granted(overdue_tolerance_fen=3_900)),
    "credit_on_hold": (granted(on_hold=True), granted()),
    "trade_not_permitted": (permitted(allowed=False), permitted()),
}
LAST_WORDS = pytest.mark.parametrize("code", SAYS_NO)


def told_no(office, code):
    """An institution that owes 39 yuan past due, and may owe no 78."""
    customer = a_customer(office)
    for each in (1, 2) if code == "credit_limit_exceeded" else (1,):
        sell_on_credit(office, customer, 3_900, on=days_ago(100 + each))
    assert office.hear(SAYS_NO[code][0](office, customer, 2)).parked == 0
    return customer


def on_credit(customer):
    return a_receipt(customer_id=customer, tenders=ON_CREDIT, sold_at=utc_now().isoformat())


def sells(office, customer, *, many=False, **same):
    if many:
        [row] = office.results(ndjson([on_credit(customer)]))
        return row.get("code")
    return office.post("/v1/sales", on_credit(customer), **same).json.get("code")


def awaited_code(code):
    return "customer_not_yet_known" if code == "trade_not_permitted" else "credit_not_yet_known"


@pytest.mark.requirement("F21", "F27", "C31")
@LAST_WORDS
@pytest.mark.parametrize("many", [False, True])
def test_what_lifts_a_refusal_and_was_said_a_second_ago_is_awaited(office, code, many):
    customer = told_no(office, code)
    level_with(office.database, "customers", age_s=4)
    assert [sells(office, customer, many=many) for _ in range(2)] == [awaited_code(code)] * 2
    asked_a_while_ago(office.database)  # and the head of 4 s ago is newer than that
    assert sells(office, customer, many=many) == code
    assert sells(office, customer, many=many) == awaited_code(code)  # a new question
    assert office.hear(SAYS_NO[code][1](office, customer, 3)).parked == 0
    assert sells(office, customer, many=many) is None


@pytest.mark.requirement("F21", "F27", "X11")
@LAST_WORDS
def test_a_last_word_stands_after_20_s_though_customers_is_silent(office, code):
    customer = told_no(office, code)
    not_level_with(office.database, "customers")
    assert sells(office, customer) == awaited_code(code)
    asked_a_while_ago(office.database, ago_s=10)
    assert sells(office, customer) == awaited_code(code)
    asked_a_while_ago(office.database, ago_s=10)
    assert sells(office, customer) == code


def test_a_key_answered_503_is_free_for_the_same_request(office):
    customer = told_no(office, "credit_limit_exceeded")
    level_with(office.database, "customers", age_s=4)
    body, key = on_credit(customer), "the-same-key"
    first = office.post("/v1/sales", body, key=key)
    assert (told(first), int(first.headers["Retry-After"])) == ((503, "credit_not_yet_known"), 2)
    assert office.hear(SAYS_NO["credit_limit_exceeded"][1](office, customer, 3)).parked == 0
    posted = office.post("/v1/sales", body, key=key)
    again = office.post("/v1/sales", body, key=key)
    assert (posted.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (
        201,
        201,
        "true",
    )
    assert again.json == posted.json


def test_an_order_and_its_shipment_await_a_raised_limit_and_the_end_of_a_hold(office):
    desk = SalesDesk(office)
    product = desk.price()
    customer = desk.customer(9_999)
    order = desk.drafted(an_order_line(product), customer=customer)
    level_with(office.database, "customers", age_s=4)
    refused(desk.confirm(order), 503, "credit_not_yet_known")
    assert office.hear(office.grant(customer, 10_000, version=2)).parked == 0
    assert desk.confirm(order).status_code == 200
    assert office.hear(office.grant(customer, 10_000, version=3, on_hold=True)).parked == 0
    refused(desk.ship(order), 503, "credit_not_yet_known")
    asked_a_while_ago(office.database)
    refused(desk.ship(order), 409, "credit_on_hold")
    assert office.hear(office.grant(customer, 10_000, version=4)).parked == 0
    assert desk.ship(order).status_code == 201


def test_web_processes_ask_as_one(office, tmp_path):
    another = Office(office.database.url, tmp_path)
    try:
        customer = told_no(office, "credit_limit_exceeded")
        level_with(office.database, "customers", age_s=4)
        assert sells(office, customer) == "credit_not_yet_known"
        asked_a_while_ago(office.database)
        assert sells(another, customer) == "credit_limit_exceeded"
    finally:
        another.close()


def test_what_was_said_since_another_till_asked_and_gave_up_is_awaited(office):
    customer = told_no(office, "credit_limit_exceeded")
    level_with(office.database, "customers", age_s=4)
    assert sells(office, customer, person="till-1") == "credit_not_yet_known"
    asked_a_while_ago(office.database)  # and what was said in the last seconds is not here
    assert sells(office, customer, person="till-2") == "credit_not_yet_known"
    assert sells(office, customer, person="till-1") == "credit_limit_exceeded"
    asked_a_while_ago(office.database)
    assert sells(office, customer, person="till-2") == "credit_limit_exceeded"


def test_many_who_ask_in_any_order_wait_for_nobody(office):
    customers = [told_no(office, "trade_not_permitted") for _ in range(8)]
    level_with(office.database, "customers", age_s=4)

    def upload(order):
        rows = office.results(ndjson([a_receipt(customer_id=each) for each in order]))
        return {row["code"] for row in rows}

    def ask_all():
        return at_once(*(lambda at=at: upload(customers[at:] + customers[:at]) for at in range(8)))

    assert ask_all() == [{"customer_not_yet_known"}] * 8
    assert office.value("select count(*) from awaited where what like 'permission %'") >= 8
    asked_a_while_ago(office.database)
    assert (
        {"trade_not_permitted"}
        <= set().union(*ask_all())
        <= {"trade_not_permitted", "customer_not_yet_known"}
    )


def test_what_nobody_asked_again_is_forgotten_after_ten_minutes(office):
    customer = told_no(office, "credit_on_hold")
    level_with(office.database, "customers", age_s=4)
    assert sells(office, customer) == "credit_not_yet_known"
    kept = "select count(*) from awaited where what like :what"
    for ago_s, left in ((500, 1), (101, 0)):
        asked_a_while_ago(office.database, ago_s=ago_s)
        with office.database.begin() as conn:
            upkeep.prune_awaited(Tx(conn=conn, actor=system_actor("finance"), now=utc_now()))
        assert office.value(kept, what=f"credit {customer} for %") == left
