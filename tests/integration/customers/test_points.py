"""Points follow sales and refunds: any order, any duplicates, two consumers at once, the same ledger."""

import threading
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from customers.app import SERVICE
from shared.consumer import apply_batch
from shared.events import Envelope
from tests.support import points
from tests.support.roles import behind

TABLES = ("point_sales", "point_earnings", "point_refunds")


def forget_points(database):
    with behind(database) as conn:
        conn.execute(text(f"truncate {', '.join(TABLES)}, inbox, source_state, parked_events, outbox"))


def contents(database):
    with database.read() as conn:
        return {
            table: sorted(conn.execute(text(f"select t::text from {table} t")).scalars()) for table in TABLES
        }


def published(database):
    """What was said of each sale: points earned, points taken back."""
    with database.read() as conn:
        rows = conn.execute(
            text(
                "select type, subject, count(*) as facts, sum((data ->> 'points')::bigint) as points"
                " from outbox group by type, subject order by type, subject"
            )
        ).all()
    return [tuple(row) for row in rows]


@pytest.fixture
def patient(caller):
    body = {"name": "积分人", "branch_id": "B1"}
    return caller("cs_agent").post("/patients", body).json["customer_id"]


def points_of(caller, customer_id, **query):
    return caller("till").get(f"/customers/{customer_id}/points", **query).json


@pytest.mark.requirement("C38")
def test_a_sale_earns_and_its_refund_takes_back(caller, database, patient, events):
    lines = {"1": (1000, 130), "2": (2000, 260)}
    apply_batch(database, SERVICE, [points.sale(1, customer_id=patient, lines=lines)])
    assert points_of(caller, patient)["balance"] == 33
    half = points.refund(2, sale_id="S1", lines=[("2", 500, 65), ("2", 500, 65)])
    apply_batch(database, SERVICE, [half])
    assert points_of(caller, patient)["balance"] == 33 - 11
    rest = points.refund(3, sale_id="S1", lines=[("1", 1000, 130), ("2", 1000, 130)])
    apply_batch(database, SERVICE, [rest])
    answer = points_of(caller, patient)
    assert answer["balance"] == 0
    assert sum(each["points"] for each in answer["entries"]) == 0
    assert [(each["kind"], each["sale_line_id"], each["points"]) for each in answer["entries"]] == [
        ("reverse_earn", "2", -11),
        ("reverse_earn", "1", -11),
        ("reverse_earn", "2", -11),
        ("earn", "2", 22),
        ("earn", "1", 11),
    ]
    assert events("customers.points.earned.v1") == [
        (
            "customers.points.earned.v1",
            {
                "customer_id": patient,
                "branch_id": "B1",
                "sale_id": points.an_id("S1"),
                "points": 33,
                "money_basis_fen": 3390,
            },
        )
    ]
    taken = [data for _, data in events("customers.points.taken_back.v1")]
    assert [(each["return_id"], each["points"]) for each in taken] == [
        (points.an_id("T2"), 11),
        (points.an_id("T3"), 22),
    ]
    with database.read() as conn:
        causes = conn.execute(
            text(
                "select version, causation_id, traceparent from outbox where subject = :sale order by version"
            ),
            {"sale": points.an_id("S1")},
        ).all()
    assert [row.version for row in causes] == [1, 2, 3]
    assert [int(row.traceparent.split("-")[1], 16) for row in causes] == [1, 2, 3]
    assert len({row.causation_id for row in causes}) == 3


@pytest.mark.requirement("C38")
def test_a_refund_that_comes_before_its_sale_waits_for_it(caller, database, patient, events):
    forget_points(database)
    apply_batch(database, SERVICE, [points.refund(2, sale_id="S1", lines=[("1", 1000, 130)])])
    assert points_of(caller, patient)["balance"] == 0
    assert events() == []
    apply_batch(database, SERVICE, [points.sale(1, customer_id=patient)])
    assert points_of(caller, patient)["balance"] == 0
    assert [kind for kind, _ in events()] == ["customers.points.earned.v1", "customers.points.taken_back.v1"]


@pytest.mark.requirement("C38")
def test_institutions_anonymous_sales_and_cents_earn_nothing(caller, database, events):
    forget_points(database)
    body = {"kind": "pharmacy", "branch_id": "B1", "legal_name": "仁和药房", "uscc": "91110000600037341L"}
    pharmacy = caller("cs_agent").post("/institutions", body).json["customer_id"]
    apply_batch(
        database,
        SERVICE,
        [
            points.sale(1, customer_id=pharmacy),
            points.sale(2, customer_id=None),
            points.sale(3, customer_id=str(uuid4()), lines={"1": (80, 10)}),
        ],
    )
    assert contents(database) == {table: [] for table in TABLES}
    assert events("customers.points.earned.v1") == []
    assert caller("till").get(f"/customers/{pharmacy}/points").json["code"] == "not_a_patient"


def test_a_customer_unknown_here_earns_all_the_same(database):
    forget_points(database)
    apply_batch(database, SERVICE, [points.sale(1, customer_id="card-of-another-system")])
    assert published(database) == [("customers.points.earned.v1", points.an_id("S1"), 1, 11)]


def test_entries_are_paged_without_gaps_or_repetition(caller, database, patient):
    forget_points(database)
    lines = {str(n): (1000, 0) for n in range(3)}
    for seq in range(1, 5):
        apply_batch(database, SERVICE, [points.sale(seq, customer_id=patient, lines=lines)])
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = points_of(caller, patient, limit=4, **({"cursor": cursor} if cursor else {}))
        seen.extend((each["sale_id"], each["sale_line_id"]) for each in page["entries"])
        cursor, pages = page["next_cursor"], pages + 1
    assert len(seen) == len(set(seen)) == 12
    assert pages == 3, "the last page is full and has no cursor"


def test_another_version_of_an_event_is_parked_and_holds_nothing_back(database):
    forget_points(database)
    good = points.sale(1, customer_id="C1")
    strange = points.sale(2, customer_id="C1")
    strange = Envelope(
        **{name: getattr(strange, name) for name in strange.__slots__} | {"type": "finance.sale.posted.v2"}
    )
    broken = points.sale(3, customer_id="C1")
    del broken.data["lines"][0]["net_fen"]
    result = apply_batch(database, SERVICE, [good, strange, broken])
    assert (result.fresh, result.parked) == (1, 2)
    with database.read() as conn:
        codes = conn.execute(text("select reason_code from parked_events order by seq")).scalars().all()
    assert codes[0] == "unknown_type"
    assert published(database) == [("customers.points.earned.v1", points.an_id("S1"), 1, 11)]


HISTORY = [
    points.sale(1, customer_id="C1", lines={"1": (1000, 130), "2": (333, 43)}),
    points.refund(2, sale_id="S1", lines=[("1", 300, 39)]),
    points.sale(3, customer_id="C1", lines={"1": (999, 130)}, insurance_fen=400),
    points.refund(4, sale_id="S1", lines=[("1", 400, 52), ("2", 333, 43)]),
    points.refund(5, sale_id="S3", lines=[("1", 999, 130)]),
    points.refund(6, sale_id="S1", lines=[("1", 300, 39)]),
    points.sale(7, customer_id=None),
    points.refund(8, sale_id="S7", lines=[("1", 1000, 130)]),
    points.sale(9, customer_id="C2", lines={"1": (50, 0)}),
    points.refund(10, sale_id="S9", lines=[("1", 50, 0)]),
]


@pytest.mark.requirement("C38")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_and_any_duplicates_give_the_same_tables_and_sums(database, data):
    forget_points(database)
    apply_batch(database, SERVICE, HISTORY)
    expected, said = contents(database), published(database)
    assert [row[3] for row in said if row[1] == points.an_id("S1")] == [15, 15]

    forget_points(database)
    deliveries = data.draw(
        st.permutations(HISTORY + data.draw(st.lists(st.sampled_from(HISTORY), max_size=6)))
    )
    while deliveries:
        size = data.draw(st.integers(1, len(deliveries)))
        apply_batch(database, SERVICE, deliveries[:size])
        deliveries = deliveries[size:]
    assert contents(database) == expected
    assert published(database) == said


@pytest.mark.requirement("C38")
def test_two_consumers_at_once_never_miss_each_other(database):
    forget_points(database)
    sales = [points.sale(n, customer_id="C1") for n in range(1, 101)]
    refunds = [points.refund(1000 + n, sale_id=f"S{n}", lines=[("1", 1000, 130)]) for n in range(1, 101)]
    start = threading.Barrier(4)

    def consume(events):
        start.wait()
        for first in range(0, len(events), 20):
            apply_batch(database, SERVICE, events[first : first + 20])

    threads = [
        threading.Thread(target=consume, args=(events,))
        for events in (sales, refunds, sales[::-1], refunds[::-1])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as conn:
        earned, taken = conn.execute(
            text(
                "select sum((data ->> 'points')::int) filter (where type like '%earned%'),"
                " sum((data ->> 'points')::int) filter (where type like '%taken%') from outbox"
            )
        ).one()
        assert conn.execute(text("select count(*) from parked_events")).scalar() == 0
    assert (earned, taken) == (1100, 1100)
