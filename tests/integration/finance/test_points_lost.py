"""Points in the books when a log lost its end: what finance forgot, and what customers forgot, is made good exactly once."""

from datetime import date
from uuid import uuid4

import pytest

from finance.points import queries, reactions
from shared.clock import business_date, utc_now
from shared.identity import system_actor
from shared.service import LostEvent
from shared.transaction import Tx
from tests.support.finance_builders import CUSTOMER, refused
from tests.support.redeeming import earned, expired, paid_with, redeemed, taken

pytestmark = pytest.mark.requirement("X3", "C38")


@pytest.fixture
def liability(office):
    def read():
        return -office.balances("2026-03").get("2204", 0)

    office.sell()  # opens the month
    office.sell(sold_at=f"{utc_now():%Y-%m-%dT%H:%M:%SZ}")  # and the one in which things are made good
    return read


def test_what_customers_forgot_that_it_told_of_points_is_given_back_and_told_again_once(office, liability):
    before, at_first = liability(), today(office)
    first, second = str(uuid4()), str(uuid4())
    gone, stays = taken(office, first, 4, return_id="R-1"), expired(office, (second, 3))
    lost = [gone, expired(office, (first, 2), (second, 1))]
    office.hear(earned(office, first, 10), earned(office, second, 10), *lost, stays)
    assert liability() == before + 20 - 4 - 3 - 3
    notes = forget(office, *lost)
    assert sum(each["points"] for each in notes) == 7
    assert today(office) == at_first + 20 - 3
    assert forget(office, *lost) == notes, "made good once, told as often as asked"
    assert today(office) == at_first + 20 - 3
    again = [taken(office, first, 4, return_id="R-1"), expired(office, (first, 6), (second, 7))]
    assert office.hear(*again).parked == 0
    assert today(office) == at_first + 20 - 3 - 4 - 13
    with office.database.begin() as conn:
        queries.require_tied(conn, date(2026, 3, 1))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_a_return_taken_back_again_after_a_correction_is_booked_in_any_order(office, liability, order):
    before = liability()
    sale = str(uuid4())
    data = {"customer_id": CUSTOMER, "branch_id": "S001", "sale_id": sale, "return_id": "R-1", "points": 10}
    told = {**data, "cause": "refund_lost", "lost_event_id": str(uuid4())}
    back = office.envelope("customers.points.corrected.v1", told, version=3)
    facts = [taken(office, sale, 10, return_id="R-1"), back, taken(office, sale, 10, return_id="R-1")]
    office.hear(earned(office, sale, 10))
    for number in order:
        assert office.hear(facts[number]).parked == 0
    assert liability() == before


@pytest.mark.usefixtures("liability")
def test_returns_that_are_taken_back_again_in_another_order_are_not_more_than_the_sale_earned(office):
    """Of four points for 4.50 the first 1.50 to come back takes one and the second two, whichever return that is."""
    at_first, sale = today(office), str(uuid4())
    first, second = taken(office, sale, 1, return_id="R-1"), taken(office, sale, 2, return_id="R-2")
    office.hear(earned(office, sale, 4), first, second, taken(office, sale, 1, return_id="R-3"))
    forget(office, first, second)
    again = [taken(office, sale, 2, return_id="R-1"), taken(office, sale, 1, return_id="R-2")]
    assert office.hear(*again).parked == 0
    assert today(office) == at_first
    assert office.hear(taken(office, sale, 1, return_id="R-4")).parked == 1


def test_points_of_a_sale_that_we_lost_end_as_they_began(office, liability):
    before, sale = liability(), str(uuid4())
    data = {"customer_id": CUSTOMER, "branch_id": "S001", "sale_id": sale, "return_id": None, "points": -10}
    told = {**data, "cause": "sale_lost", "lost_event_id": str(uuid4())}
    office.hear(office.envelope("customers.points.corrected.v1", told, version=2))
    office.hear(earned(office, sale, 10))
    assert liability() == before


def test_a_redemption_that_customers_forgot_pays_nothing_unless_a_sale_had_used_it(office):
    sale = str(uuid4())
    office.hear(earned(office, sale, 100))
    used, unused = redeemed(office, (sale, 30)), redeemed(office, (sale, 20))
    office.hear(used, unused)
    assert office.post("/v1/sales", paid_with(used)).status_code == 201
    notes = forget(office, used, unused)
    assert [each["redemption_id"] for each in notes if "given_up" in each] == [unused.data["redemption_id"]]
    assert [each["redemption_id"] for each in notes if "stays" in each] == [used.data["redemption_id"]]
    refused(office.post("/v1/sales", paid_with(unused)), 409, "redemption_restored")


def forget(office, *told):
    """What `log accept customers` does about these events."""
    lost = [
        LostEvent(source="customers", seq=each.seq, event_id=each.event_id, comes_again_as=None)
        for each in told
    ]
    with office.database.begin() as conn:
        tx = Tx(conn=conn, actor=system_actor("finance"), now=utc_now())
        return list(reactions.withdraw(tx, "customers", 0, lost, iter(())))


def today(office):
    """The liability at the end of this month: what is made good is booked today."""
    month = f"{business_date(utc_now()):%Y-%m}"
    return -office.balances(month).get("2204", 0)
