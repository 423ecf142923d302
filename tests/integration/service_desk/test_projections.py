"""What the desk knows of others comes out the same in any order, with any repetitions, in any batches."""

from datetime import UTC, date, datetime
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from service_desk.app import SERVICE
from shared.consumer import apply_batch
from shared.events import Envelope
from tests.support.roles import behind

TABLES = ("known_sales", "known_customers", "return_outcomes", "inbox")
AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)


def an_event(seq, event_type, subject, data, version=1):
    return Envelope(
        source=event_type.split(".")[0],
        seq=seq,
        event_id=UUID(int=seq),
        type=event_type,
        subject=subject,
        version=version,
        day=date(2026, 6, 1),
        amount_fen=0,
        occurred_at=AT,
        data=data,
    )


def a_sale(seq, number):
    return an_event(
        seq,
        "finance.sale.posted.v1",
        f"s{number}",
        {
            "sale_id": f"s{number}",
            "branch_id": "B001",
            "customer_id": f"c{number}" if number % 2 else None,
            "business_date": "2026-06-01",
            "total_fen": 100,
            "lines": [
                {"line_id": "1", "product_id": "p", "lot": f"L{number}", "quantity": 1},
                {"line_id": "2", "product_id": "p", "lot": f"L{number}", "quantity": 2},
            ],
        },
    )


def a_customer(seq, number):
    return an_event(
        seq,
        "customers.customer.registered.v1",
        f"c{number}",
        {"customer_id": f"c{number}", "kind": "patient", "branch_id": "B001", "state": "active"},
    )


def a_refusal(seq, number, version=2):
    return an_event(
        seq,
        "returns.return.refused.v1",
        f"r{number}",
        {"return_id": f"r{number}", "branch_id": "B001", "cause": "not_ours"},
        version,
    )


def a_settlement(seq, number, version=8):
    return an_event(
        seq,
        "returns.return.settled.v1",
        f"r{number}",
        {"return_id": f"r{number}", "branch_id": "B001", "settled_on": "2026-06-09", "refund_fen": 1},
        version,
    )


def another_type(seq):
    return an_event(seq, "returns.return.inspected.v1", "r1", {"return_id": "r1"}, 5)


EVENTS = [
    *(a_sale(seq, seq) for seq in range(1, 6)),
    *(a_customer(seq, seq) for seq in range(1, 5)),
    a_refusal(1, 1),
    a_settlement(2, 1),
    a_refusal(3, 2),
    a_settlement(4, 3),
    another_type(5),
]


def contents(database):
    with database.begin() as conn:
        return {
            name: sorted(tuple(map(str, row)) for row in conn.execute(text(f"select * from {name}")))
            for name in TABLES
        }


def emptied(database):
    with behind(database) as conn:
        conn.execute(text(f"truncate {', '.join(TABLES)}, parked_events"))


def applied(database, batches):
    emptied(database)
    for batch in batches:
        result = apply_batch(database, SERVICE, batch)
        assert result.parked == 0
    return contents(database)


@pytest.fixture(scope="module")
def expected(bare_database):
    return applied(bare_database, [EVENTS])


def test_the_newest_outcome_of_a_return_is_kept(expected):
    outcomes = {row[0]: row[2] for row in expected["return_outcomes"]}
    assert outcomes == {"r1": "settled", "r2": "refused", "r3": "settled"}


@given(
    order=st.permutations(EVENTS),
    repeats=st.lists(st.sampled_from(EVENTS), max_size=8),
    cuts=st.lists(st.integers(1, 21), max_size=5),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_any_repetition_and_any_batches_give_the_same_tables(
    bare_database, expected, order, repeats, cuts
):
    stream = list(order)
    for position, repeat in enumerate(repeats):
        stream.insert(position * 3 % (len(stream) + 1), repeat)
    edges = [0, *sorted(set(cuts)), len(stream)]
    batches = [stream[start:end] for start, end in pairwise(edges) if start < end]
    assert applied(bare_database, batches) == expected


def test_an_unreadable_event_and_an_unknown_version_are_parked_and_hold_back_nothing(bare_database):
    emptied(bare_database)
    broken = an_event(7, "finance.sale.posted.v1", "s7", {"sale_id": "s7"})
    newer = an_event(8, "finance.sale.posted.v2", "s8", {})
    result = apply_batch(bare_database, SERVICE, [a_sale(6, 6), broken, newer])
    assert (result.fresh, result.parked) == (1, 2)
    with bare_database.begin() as conn:
        parked = {tuple(row) for row in conn.execute(text("select seq, type from parked_events"))}
    assert parked == {(7, "finance.sale.posted.v1"), (8, "finance.sale.posted.v2")}


@pytest.mark.requirement("D20")
def test_a_ticket_shows_the_outcome_of_its_return_and_whether_the_lot_was_sold(desk):
    ticket = desk.opened(kind="return_request", sale_id="s1", lot="L9", return_id="r9")
    path = f"/tickets/{ticket['ticket_id']}"
    assert (ticket["sale_is_known"], ticket["lot_in_sale"], ticket["return_outcome"]) == (False, None, None)
    assert apply_batch(desk.database, SERVICE, [a_sale(1, 1), a_refusal(2, 9)]).parked == 0
    shown = desk.call("GET", path).json
    assert (shown["sale_is_known"], shown["lot_in_sale"]) == (True, False)
    assert (shown["return_outcome"], shown["return_cause"]) == ("refused", "not_ours")
    typed = desk.opened(kind="return_request", sale_id="s1", lot=" l1")
    assert (typed["lot"], typed["lot_in_sale"]) == (" l1", True)
    relinked = desk.call("POST", f"{path}/returns", {"return_id": "r10"}).json
    assert (relinked["return_id"], relinked["return_outcome"]) == ("r10", None)


def test_a_ticket_tells_nothing_of_a_sale_or_return_of_another_branch(desk):
    ticket = desk.opened(branch_id="B777", sale_id="s51", lot="L51", return_id="r52")
    assert apply_batch(desk.database, SERVICE, [a_sale(51, 51), a_refusal(52, 52)]).parked == 0
    path, told = (
        f"/tickets/{ticket['ticket_id']}",
        ("sale_is_known", "lot_in_sale", "return_outcome", "return_cause"),
    )
    everything = desk.call("GET", path).json
    assert everything["sale_is_known"]
    assert everything["return_outcome"] == "refused"
    confined = desk.call("GET", path, branches=("B777",)).json
    assert [confined[name] for name in told] == [False, None, None, None]
