"""The aged balance of any day, on real PostgreSQL, against items and matches walked one by one."""

from collections import defaultdict
from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finance.kernel import debts
from tests.support.debtors import TODAY, days_ago
from tests.support.finance_builders import money

CUSTOMERS = sorted(str(uuid4()) for _ in range(2))
EDGES = (0, 1, 30, 31, 60, 61, 90, 91, 180, 181, 365, 366)
branches = (f"A{number:04d}" for number in count())

AGO = st.one_of(st.sampled_from(EDGES), st.integers(0, 500))
ITEM = st.tuples(
    st.sampled_from(CUSTOMERS),
    st.one_of(st.integers(1, 9_000), st.integers(-9_000, -1)),
    AGO,  # days since it was booked
    st.sampled_from((0, 0, 30, 90)),  # days from then to when it is due
)
MATCH = st.tuples(
    st.integers(0, 11), st.integers(0, 11), st.integers(1, 9_000), AGO, st.one_of(st.none(), AGO)
)
"""Which credit, which debt, how much, days since; days since it was taken back."""


@pytest.mark.requirement("F16")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    items=st.lists(ITEM, min_size=2, max_size=12),
    matches=st.lists(MATCH, min_size=3, max_size=8),
    data=st.data(),
)
def test_the_aged_balance_of_any_day_is_what_items_and_matches_say(office, items, matches, data):
    branch = next(branches)
    moved = write(office, branch, items, matches)
    for ago in (0, data.draw(AGO), data.draw(st.integers(-30, 30))):
        as_of = days_ago(ago)
        found = office.get(f"/v1/ageing-reports?as_of={as_of}&branch_id={branch}").json
        expected, credits_fen = walked(items, moved, as_of)
        assert {
            each["customer_id"]: [amount["fen"] for amount in each["buckets"]] for each in found["customers"]
        } == expected
        totals = [sum(column) for column in zip([0] * 7, *expected.values(), strict=True)]
        assert [each["open"]["fen"] for each in found["buckets"]] == totals
        assert (found["total"], found["credits"]) == (money(sum(totals)), money(credits_fen))
        assert found["overdue"] == money(sum(totals[1:]))
        assert all(each["total"]["fen"] == sum(expected[each["customer_id"]]) for each in found["customers"])
        paged(office, f"as_of={as_of}&branch_id={branch}", found["customers"])


def write(office, branch, items, matches):
    """Items and the possible matches of them, as the service would have written them; what each match moved, and when."""
    left = [fen for _, fen, _, _ in items]
    ids, moved = [uuid4() for _ in items], []
    for first, second, wanted, since, taken_back in matches:
        of_credit = [no for no, fen in enumerate(left) if fen < 0]
        if not of_credit:
            break
        credit = of_credit[first % len(of_credit)]
        debts = [no for no, fen in enumerate(left) if fen > 0 and items[no][0] == items[credit][0]]
        if not debts:
            continue
        debt = debts[second % len(debts)]
        fen = min(wanted, -left[credit], left[debt])
        day = max(days_ago(since), *(days_ago(items[each][2]) for each in (credit, debt)))
        for part, on in ((fen, day), (-fen, None if taken_back is None else max(day, days_ago(taken_back)))):
            if on is not None:
                moved.append((credit, debt, part, on))
                left[credit], left[debt] = left[credit] + part, left[debt] - part
    for no, (customer, fen, since, due) in enumerate(items):
        office.rows(
            "insert into receivable_items (item_id, customer_id, branch_id, kind, source_id, instalment, booked_on,"
            " due_on, amount_fen, open_fen) values (:id, :customer, :branch, :kind, :id, 1, :booked, :due, :fen, :left)"
            " returning 1",
            id=ids[no], customer=customer, branch=branch, kind="sale" if fen > 0 else "payment",
            booked=days_ago(since), due=days_ago(since) + timedelta(days=due), fen=fen, left=left[no],
        )  # fmt: skip
    for credit, debt, fen, on in moved:
        office.rows(
            "insert into receivable_allocations (credit_id, debt_id, fen, allocated_on, undoes, actor, at) values"
            " (:credit, :debt, :fen, :day, case when :fen < 0 then gen_random_uuid() end, 'x', now()) returning 1",
            credit=ids[credit],
            debt=ids[debt],
            fen=fen,
            day=on,
        )
    return moved


def walked(items, moved, as_of):
    """The buckets of each customer with an open item, credits in the first; and the sum of the credits."""
    bounds = debts.house("ageing_bounds", as_of)
    found, credits_fen = defaultdict(lambda: [0] * (len(bounds) + 1)), 0
    for no, (customer, fen, since, due) in enumerate(items):
        if days_ago(since) > as_of:
            continue
        left = fen
        for credit, debt, part, on in moved:
            if on <= as_of:
                left += part if no == credit else -part if no == debt else 0
        if left:
            late = (as_of - days_ago(since)).days - due
            found[customer][0 if left < 0 else debts.bucket_of(bounds, late)] += left
            credits_fen += min(left, 0)
    return dict(found), credits_fen


def paged(office, query, customers):
    """One customer at a time gives them all, once."""
    found, after = [], ""
    while True:
        page = office.get(f"/v1/ageing-reports?{query}&limit=1{after}").json
        found += page["customers"]
        if page["next_cursor"] is None:
            assert found == customers
            return
        after = f"&cursor={page['next_cursor']}"


def test_today_is_the_day_asked_for_unless_another_is_named(office):
    found = office.get("/v1/ageing-reports").json
    assert (found["as_of"], found["branch_id"]) == (str(TODAY), None)
