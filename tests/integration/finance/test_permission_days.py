"""Whom we may sell to is asked of the day of the sale, whenever the sale is told."""

import itertools
from datetime import date
from uuid import uuid4

import pytest

from tests.support.finance_builders import a_line, a_receipt, ndjson

pytestmark = pytest.mark.requirement("X11")

GRANTED, WITHDRAWN, BACK = date(2026, 3, 2), date(2026, 3, 10), date(2026, 3, 20)


def a_sale(customer_id, day):
    return a_receipt(customer_id=customer_id, sold_at=f"{day}T02:00:00Z", lines=[a_line()])


def words(office, customer_id):
    """Granted, withdrawn for a while, granted again."""
    return [
        office.permit(customer_id, version=1, day=GRANTED),
        office.permit(customer_id, version=2, day=WITHDRAWN, allowed=False),
        office.permit(customer_id, version=3, day=BACK),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_a_sale_is_judged_by_what_held_on_its_day_in_whatever_order_it_was_told(office, order):
    customer_id = str(uuid4())
    told = words(office, customer_id)
    for index in order:
        office.hear(told[index])
    answers = {
        day: office.post("/v1/sales", a_sale(customer_id, day))
        for day in ("2026-03-01", "2026-03-02", "2026-03-09", "2026-03-10", "2026-03-19", "2026-03-20")
    }
    refused = {day for day, answer in answers.items() if answer.status_code == 409}
    assert refused == {"2026-03-10", "2026-03-19"}
    assert {answers[day].json["code"] for day in refused} == {"trade_not_permitted"}
    assert {answer.status_code for answer in answers.values()} == {201, 409}


def test_an_upload_judges_each_receipt_by_its_own_day(office):
    customer_id = str(uuid4())
    office.hear(*words(office, customer_id))
    days = ("2026-03-03", "2026-03-11", "2026-03-21")
    results = office.results(ndjson([a_sale(customer_id, day) for day in days]))
    assert [each["state"] for each in results] == ["posted", "refused", "posted"]
    assert results[1]["code"] == "trade_not_permitted"
