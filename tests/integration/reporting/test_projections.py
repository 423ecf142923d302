"""Events become facts: any order, any repetition, the same tables; what is malformed is parked with its reason."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from reporting.app import SERVICE
from reporting.facts.queries.totals import own_totals
from reporting.facts.tables import FACT_TABLES
from shared.consumer import apply_batch
from shared.database import Database
from tests.support import facts
from tests.support.roles import behind

EVENTS = [
    facts.sale(1, lines=[facts.line("a"), facts.line("b", category="rx", quantity=3)]),
    facts.sale(2, day=date(2017, 4, 1), branch="S2", customer=None),
    facts.refund(3, sale_id="sale-1", line_id="a"),
    facts.statement_published(4, statement_id="st", leaf_lines=40),
    facts.statement_restated(5, statement_id="st", lines=[("1122", True), ("1405", False)]),
    facts.return_requested(1),
    facts.return_refused(2),
    facts.return_settled(3, dispositions=("destroy", "restock")),
    facts.survey_sent(1),
    facts.survey_answered(2, customer="C1", scores=(5, 4, 3)),
    facts.feedback(3),
    facts.ticket_opened(4),
    facts.customer_registered(1),
    facts.points_earned(2),
]


@pytest.fixture(scope="module")
def database(migrated_database):
    opened = Database(migrated_database("reporting"), pool_size=4)
    yield opened
    opened.dispose()


def forget_everything(database):
    with behind(database) as conn:
        for table in FACT_TABLES:
            conn.execute(text(f"truncate facts.{table.name}"))
        conn.execute(text("truncate inbox, source_state, parked_events"))


def contents(database):
    with database.read() as conn:
        return {
            table.name: sorted(
                map(str, conn.execute(text(f"select t::text from facts.{table.name} t")).scalars())
            )
            for table in FACT_TABLES
        }


@pytest.mark.requirement("P2")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_and_any_duplicates_give_the_same_facts(database, data):
    forget_everything(database)
    apply_batch(database, SERVICE, EVENTS)
    expected = contents(database)
    assert sum(map(len, expected.values())) == 23

    forget_everything(database)
    repeats = data.draw(st.lists(st.sampled_from(EVENTS), max_size=20))
    order = data.draw(st.permutations([*EVENTS, *repeats]))
    while order:
        size = data.draw(st.integers(1, len(order)))
        apply_batch(database, SERVICE, order[:size])
        order = order[size:]
    assert contents(database) == expected


@pytest.mark.requirement("X3")
def test_own_totals_are_added_up_from_lines_and_agree_with_the_events(database):
    forget_everything(database)
    apply_batch(database, SERVICE, EVENTS)
    with database.read() as conn:
        for source in SERVICE.sources:
            expected = {}
            for event in (each for each in EVENTS if each.source == source):
                events, amount_fen = expected.get((event.day, event.type), (0, 0))
                expected[event.day, event.type] = (events + 1, amount_fen + event.amount_fen)
            assert own_totals(conn, source, date(2017, 1, 1), date(2017, 12, 31)) == expected


def test_a_malformed_event_is_parked_with_its_reason_and_holds_nobody_back(database):
    forget_everything(database)
    bad = facts.sale(7)
    bad.data["lines"][0]["net_fen"] = -1
    unknown = facts.envelope(8, "finance.sale.posted.v2", {})
    result = apply_batch(database, SERVICE, [facts.sale(6), bad, unknown, facts.sale(9)])
    assert (result.fresh, result.parked) == (2, 2)
    with database.read() as conn:
        parked = conn.execute(text("select seq, reason_code from parked_events order by seq")).all()
        assert parked == [(7, "event_malformed"), (8, "unknown_type")]
        assert conn.execute(text("select count(*) from facts.fact_sales")).scalar() == 2


def test_a_document_that_does_not_add_up_is_parked(database):
    forget_everything(database)
    bad = facts.sale(7)
    bad.data["total_fen"] += 1
    assert apply_batch(database, SERVICE, [bad]).parked == 1
