"""Points as a contract liability: whatever the order of facts, 2204 is what the customers were promised."""

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.finance_builders import Office

EARNED, TAKEN = "customers.points.earned.v1", "customers.points.taken_back.v1"


@pytest.fixture
def liability(office):
    def read():
        return -office.balances("2026-03").get("2204", 0)

    office.sell()  # opens the month
    return read


def earned(office, sale_id, points, branch="S001"):
    data = {"customer_id": str(uuid4()), "branch_id": branch, "sale_id": sale_id, "points": points, "money_basis_fen": points * 100}  # fmt: skip
    return office.envelope(EARNED, data)


def taken(office, sale_id, points, return_id=None, branch="S001"):
    data = {"customer_id": str(uuid4()), "branch_id": branch, "sale_id": sale_id, "return_id": return_id or str(uuid4()), "points": points}  # fmt: skip
    return office.envelope(TAKEN, data, version=2)


@pytest.mark.requirement("F1", "F15")
def test_points_defer_revenue_and_a_return_gives_it_back(office, liability):
    before, revenue = liability(), office.balances("2026-03")["6001"]
    sale = str(uuid4())
    office.hear(earned(office, sale, 33))
    assert liability() == before + 33
    assert office.balances("2026-03")["6001"] == revenue + 33
    office.hear(taken(office, sale, 11))
    assert liability() == before + 22


def test_a_return_told_before_its_sale_waits_for_it(office, liability):
    before = liability()
    sale = str(uuid4())
    office.hear(taken(office, sale, 5))
    assert liability() == before
    office.hear(earned(office, sale, 20))
    assert liability() == before + 15


def test_what_is_told_twice_is_booked_once(office, liability):
    before = liability()
    sale = str(uuid4())
    first, second = earned(office, sale, 10), taken(office, sale, 4, return_id="R-1")
    office.hear(first, second)
    office.hear(earned(office, sale, 10), taken(office, sale, 4, return_id="R-1"))
    assert liability() == before + 6


def test_more_than_was_earned_is_parked(office, liability):
    before = liability()
    sale = str(uuid4())
    office.hear(earned(office, sale, 10))
    result = office.hear(taken(office, sale, 11))
    assert (result.parked, liability()) == (1, before + 10)


@pytest.mark.requirement("F1", "F15")
@given(data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_liability_is_the_points_that_are_left_in_any_order(office, liability, data):
    before, told, left = liability(), [], 0
    for _ in range(data.draw(st.integers(1, 4))):
        sale = str(uuid4())
        points = data.draw(st.integers(1, 500))
        back = data.draw(st.lists(st.integers(0, points // 3), max_size=3))
        told.append(earned(office, sale, points))
        told += [taken(office, sale, each) for each in back]
        left += points - sum(back)
    shuffled = data.draw(st.permutations(told))
    cut = data.draw(st.integers(0, len(shuffled)))
    office.hear(*shuffled[:cut])
    office.hear(*shuffled[cut:])
    if data.draw(st.booleans()):
        office.seal()
    assert liability() == before + left
    promised = office.value(
        "select sum((e.points - coalesce(t.points, 0)) * e.fen_per_point)::bigint from points_earned e left join"
        " (select sale_id, sum(points) as points from points_taken_back group by sale_id) t using (sale_id)"
    )
    assert promised == liability()


def test_a_month_does_not_close_while_points_and_liability_differ(office, liability):
    office.hear(earned(office, str(uuid4()), 7))
    office.seal()
    with office.database.engine.begin() as conn:
        conn.exec_driver_sql("update points_earned set points = points + 1 where points = 7")
    refused = office.post("/v1/periods/2026-03/close", role="finance_head")
    assert (refused.status_code, refused.json["code"]) == (409, "points_not_tied")
    with office.database.engine.begin() as conn:
        conn.exec_driver_sql("update points_earned set points = points - 1 where points = 8")
    assert office.post("/v1/periods/2026-03/close", role="finance_head").status_code == 200


def test_the_standard_for_small_enterprises_knows_no_such_liability(migrated_database, tmp_path):
    small = Office(migrated_database("finance"), tmp_path)
    with small.database.engine.begin() as conn:
        conn.exec_driver_sql("update books set standard = 'small'")
    small.sell()
    small.hear(earned(small, str(uuid4()), 33))
    assert small.value("select count(*) from journal_entries where kind like 'points%'") == 0
    assert small.value("select count(*) from points_earned") == 1
    small.seal()
    assert small.post("/v1/periods/2026-03/close", role="finance_head").status_code == 200
    small.close()
