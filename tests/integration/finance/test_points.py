"""Points as a contract liability: whatever the order of facts, 2204 is what the customers were promised."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finance.points import queries
from tests.support.finance_builders import Office
from tests.support.redeeming import earned, expired, paid_with, redeemed, restored, taken
from tests.support.roles import behind


@pytest.fixture
def liability(office):
    def read():
        return -office.balances("2026-03").get("2204", 0)

    office.sell()  # opens the month
    return read


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
    again = [replace(each, seq=each.seq + 1_000_000) for each in (first, second)]
    office.hear(*again, earned(office, sale, 10))
    assert liability() == before + 6


def test_more_than_was_earned_is_parked(office, liability):
    before = liability()
    sale = str(uuid4())
    office.hear(earned(office, sale, 10))
    result = office.hear(taken(office, sale, 11))
    assert (result.parked, liability()) == (1, before + 10)


def test_points_that_expire_are_revenue_also_when_told_before_they_were_earned(office, liability):
    before, revenue = liability(), office.balances("2026-03")["6001"]
    known, unknown = str(uuid4()), str(uuid4())
    office.hear(earned(office, known, 20))
    told = expired(office, (known, 15), (unknown, 7), expiry_id=str(uuid4()))
    office.hear(told, expired(office, (known, 15), (unknown, 7), expiry_id=told.data["expiry_id"]))
    assert liability() == before + 5
    office.hear(earned(office, unknown, 9))
    assert liability() == before + 5 + 2
    assert office.balances("2026-03")["6001"] == revenue + 7
    assert office.hear(expired(office, (known, 6))).parked == 1


def test_a_redemption_whose_lots_are_not_its_points_is_parked(office, liability):
    wrong = redeemed(office, (str(uuid4()), 5))
    wrong.data["points"] = 6
    assert office.hear(wrong).parked == 1
    assert "redemption_lots_differ" in {
        code for (code,) in office.rows("select reason_code from parked_events")
    }


@pytest.mark.requirement("F2", "F15")
def test_a_month_closes_while_points_are_being_told(office, liability):
    """Who closes reads points and books in one snapshot: a fact that comes between them makes no difference."""
    told = [earned(office, str(uuid4()), 10) for _ in range(400)]
    with ThreadPoolExecutor(1) as consumer:
        hearing = consumer.submit(lambda: [office.hear(each) for each in told])
        looks = 0
        while not hearing.done():
            with office.database.begin() as conn:
                queries.require_tied(conn, date(2026, 3, 1))
            looks += 1
        hearing.result()
    assert looks > 10


@pytest.mark.requirement("F1", "F15")
@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_liability_is_the_points_that_are_left_in_any_order(office, liability, data):
    """Earned, taken back, expired, redeemed, given back, told in any order and twice; sales come when they may."""
    before, told, left, receipts = liability(), [], 0, []
    for _ in range(data.draw(st.integers(1, 4))):
        sale = str(uuid4())
        worth = data.draw(st.integers(1, 500))
        told.append(earned(office, sale, worth))
        for _ in range(data.draw(st.integers(0, 2))):
            back, gone = data.draw(st.integers(0, worth // 6)), data.draw(st.integers(0, worth // 6))
            told.append(taken(office, sale, back))
            told += [expired(office, (sale, gone))] if gone else []
            left -= back + gone
        left += worth
        used = data.draw(st.integers(1, worth))  # more than is left when goods came back: a debt
        redemption = redeemed(office, (sale, used), value=data.draw(st.sampled_from([used, 3 * used])))
        told.append(redemption)
        fate = data.draw(st.sampled_from(["used", "unused", "restored", "restored after use"]))
        if fate == "restored":
            told.append(restored(office, redemption))
        if fate.endswith(("used", "use")) and fate != "unused":
            receipts.append((paid_with(redemption, cash=data.draw(st.integers(0, 9))), redemption, fate))
            left -= used
    told = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=4))))
    while told:
        cut = data.draw(st.integers(1, len(told)))
        assert office.hear(*told[:cut]).parked == 0
        told = told[cut:]
        for receipt, *_ in receipts:
            assert office.post("/v1/sales", receipt).status_code in {200, 201, 503}
        require_tied(office)
    for receipt, redemption, fate in receipts:
        assert office.post("/v1/sales", receipt).status_code == 200
        if fate == "restored after use":
            office.hear(restored(office, redemption))
    if data.draw(st.booleans()):
        office.seal()
    require_tied(office)
    assert liability() == before + left


def require_tied(office):
    with office.database.read() as conn:
        queries.require_tied(conn, date(2026, 3, 1))


def test_a_month_does_not_close_while_points_and_liability_differ(office, liability):
    sale = str(uuid4())
    office.hear(earned(office, sale, 7))
    office.seal()
    change = "update points_earned set points = {points} where sale_id = %(sale)s"
    with behind(office.database) as conn:
        conn.exec_driver_sql(change.format(points=8), {"sale": sale})
    refused = office.post("/v1/periods/2026-03/close", role="finance_head")
    assert (refused.status_code, refused.json["code"]) == (409, "points_not_tied")
    with behind(office.database) as conn:
        conn.exec_driver_sql(change.format(points=7), {"sale": sale})
    assert office.post("/v1/periods/2026-03/close", role="finance_head").status_code == 200


def kept(office):
    """What the books know of points, in an order of its own: tables and entries, but for ids and moments."""
    return [
        office.rows(f"select * from {table} order by 1, 2")
        for table in (
            "points_earned",
            "points_taken_back",
            "points_expired",
            "points_redemptions",
            "points_restorations",
        )
    ] + [
        office.rows("select * from points_redemption_lots order by 1, 2"),
        office.rows(
            "select e.booked_on, e.branch_id, e.kind, e.source_id, e.total_fen, e.reference, l.no, l.account,"
            " l.debit_fen, l.credit_fen from journal_entries e join journal_lines l on l.entry_id = e.id"
            " and l.booked_on = e.booked_on where e.kind like 'points%' order by e.source_id, e.kind, l.no"
        ),
    ]


def forget(office):
    with behind(office.database) as conn:
        conn.exec_driver_sql("set session_replication_role = replica")  # the books forget nothing otherwise
        conn.exec_driver_sql(
            "delete from journal_lines l using journal_entries e where e.id = l.entry_id and e.kind like 'points%%'"
        )
        conn.exec_driver_sql("delete from journal_entries where kind like 'points%%'")
        conn.exec_driver_sql(
            "truncate points_earned, points_taken_back, points_expired, points_redemptions, points_redemption_lots,"
            " points_restorations, inbox"
        )
        conn.exec_driver_sql("set session_replication_role = origin")


@pytest.mark.requirement("F1", "F15")
def test_a_batch_books_what_its_facts_book_one_by_one(migrated_database, tmp_path):
    office = Office(migrated_database("finance"), tmp_path)
    office.sell()

    @given(data=st.data())
    @settings(max_examples=10, deadline=None)
    def told_in_any_way(data):
        forget(office)
        told = []
        for _ in range(data.draw(st.integers(1, 4))):
            sale, worth = str(uuid4()), data.draw(st.integers(4, 500))
            gone = worth // 4
            told += [earned(office, sale, worth), taken(office, sale, gone), expired(office, (sale, gone))]
            redemption = redeemed(office, (sale, worth // 2))
            told += [redemption] + ([restored(office, redemption)] if data.draw(st.booleans()) else [])
        for each in told:
            assert office.hear(each).parked == 0
        one_by_one = kept(office)
        forget(office)
        told = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=4))))
        while told:
            cut = data.draw(st.integers(1, len(told)))
            assert office.hear(*told[:cut]).parked == 0
            told = told[cut:]
        assert kept(office) == one_by_one

    told_in_any_way()
    office.close()


def test_the_standard_for_small_enterprises_knows_no_such_liability(migrated_database, tmp_path):
    small = Office(migrated_database("finance"), tmp_path)
    with behind(small.database) as conn:
        conn.exec_driver_sql("update books set standard = 'small'")
    small.sell()
    small.hear(earned(small, str(uuid4()), 33))
    assert small.value("select count(*) from journal_entries where kind like 'points%'") == 0
    assert small.value("select count(*) from points_earned") == 1
    small.seal()
    assert small.post("/v1/periods/2026-03/close", role="finance_head").status_code == 200
    small.close()
