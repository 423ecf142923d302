"""What finance says was sold: any order and any repetition give the same tables, at thousands a second."""

import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.support.returns_builders import Counter, a_paid_refund, a_sale, a_sold_line, an_envelope
from tests.support.roles import behind

EVENTS_PER_S_MIN = 500
"""Far below what it does; the floor says only that nothing became quadratic or one by one."""


def sold(counter):
    with counter.database.begin() as conn:
        return conn.execute(
            text("select * from sold_lines order by sale_day, sale_id, sale_line_id, lot")
        ).all()


def forget(counter):
    with behind(counter.database) as conn:
        conn.execute(text("truncate sold_lines, inbox, parked_events"))


def months_of(day):
    from datetime import datetime

    return datetime.fromisoformat(f"{day}T04:00:00+00:00")


SALES = [
    a_sale(seq, [a_sold_line(lot=lot) for lot in lots], sold_at=months_of(day), branch_id=branch)
    for seq, (day, branch, lots) in enumerate(
        [
            ("2017-01-31", "S001", ["A"]),
            ("2017-02-01", "S001", ["A", "B"]),
            ("2026-03-02", "S002", ["C"]),
            ("2017-02-28", "S002", ["A"]),
        ],
        start=1,
    )
]
NOISE = [
    an_envelope(5, "finance.period.closed.v1", "2017-01", {"month": "2017-01"}),
    an_envelope(6, "finance.sale.posted.v1", "bad", {"sale_id": "bad"}),
    an_envelope(7, "finance.sale.posted.v2", "new", {}),
    a_paid_refund(8, "0199b1c0-0000-7000-8000-000000000001", 1),
]


def test_any_order_any_duplicates_give_the_same_tables(counter: Counter):
    forget(counter)
    counter.deliver(*SALES, *NOISE)
    expected = sold(counter)
    assert len(expected) == 5

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(st.lists(st.sampled_from(SALES + NOISE), max_size=6), max_size=6),
        st.permutations(SALES + NOISE),
    )
    def disorder(batches, rest):
        forget(counter)
        for batch in [*batches, rest]:
            if batch:
                counter.deliver(*batch)
        assert sold(counter) == expected
        with counter.database.begin() as conn:
            parked = conn.execute(text("select seq, reason_code from parked_events order by seq")).all()
        assert parked == [(6, "invalid_payload"), (7, "unknown_type"), (8, "return_not_found")]

    disorder()
    forget(counter)


def test_every_month_has_its_partition(counter):
    forget(counter)
    counter.deliver(*SALES)
    with counter.database.begin() as conn:
        found = conn.execute(
            text("select relname from pg_class where relname like 'sold_lines_y____m__' order by 1")
        ).scalars()
        assert {"sold_lines_y2017m01", "sold_lines_y2017m02", "sold_lines_y2026m03"} <= set(found)
    forget(counter)


def test_a_batch_of_sales_is_inserted_at_once(counter):
    forget(counter)
    sales = [a_sale(seq, [a_sold_line(), a_sold_line(lot="B")]) for seq in range(1, 4_001)]
    started = time.perf_counter()
    for at in range(0, len(sales), 200):
        counter.deliver(*sales[at : at + 200])
    rate = len(sales) / (time.perf_counter() - started)
    print(f"{rate:.0f} events/s")
    assert len(sold(counter)) == 8_000
    assert rate > EVENTS_PER_S_MIN
    forget(counter)
