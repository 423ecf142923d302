"""What was made a second ago may be on its way, though we are level with a head of four seconds ago: it is awaited."""

from datetime import timedelta

import pytest

from shared.clock import business_date, new_id, utc_now
from tests.support.credit import a_customer
from tests.support.debtors import TODAY, pay
from tests.support.finance_builders import a_receipt, money, ndjson
from tests.support.watermarks import asked_a_while_ago, level_with

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
