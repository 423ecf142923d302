"""A rebuild gives the very same facts, finds what was tampered with, and does not stop the consumer."""

import threading
from datetime import date

import pytest
from sqlalchemy import make_url, text

from reporting.app import SERVICE
from reporting.facts.commands.rebuild import FactsDiffer, RebuildRunning, rebuild
from reporting.facts.store.rebuilt import REBUILD_LOCK
from reporting.facts.tables import FACT_TABLES
from shared import migrations
from shared.consumer import apply_batch
from tests.support import facts
from tests.support.archives import archive_all, moved_to
from tests.support.reporting_system import System
from tests.support.roles import behind, owner_of


def contents(system: System) -> dict[str, list[str]]:
    with system.database.read() as conn:
        return {
            table.name: sorted(conn.execute(text(f"select t::text from facts.{table.name} t")).scalars())
            for table in FACT_TABLES
        }


def run(system: System, **options):
    return rebuild(
        owner_of(system.settings.database_url),
        SERVICE,
        list(system.feeds.values()),
        **{"role": "reporting", **options},
    )


def some_sales(first: int, count: int):
    return [
        facts.sale(number, day=date(2017, 2 + number % 2, 1), branch=f"S{number % 3}")
        for number in range(first, first + count)
    ]


@pytest.fixture(scope="module", autouse=True)
def history(system):
    malformed = facts.sale(0)
    malformed.data["lines"][0]["quantity"] = -1
    system.publish(
        *some_sales(1, 60),
        malformed,
        facts.refund(1, sale_id="sale-1"),
        facts.return_requested(1),
        facts.return_settled(2),
        facts.survey_answered(3, customer="C1", scores=(1, 2, 3)),
        facts.feedback(4),
        facts.customer_registered(5),
        facts.points_earned(6),
        facts.statement_published(7, statement_id="st", leaf_lines=3),
    )
    system.deliver()


def test_the_rebuilt_facts_are_the_live_facts(system):
    before = contents(system)
    told: list[str] = []
    done = run(system, tell=told.append)
    assert contents(system) == before
    assert (done.differences, done.refused) == ([], 0)
    assert done.events == 69
    assert any("finance 63/63" in line for line in told)
    with system.database.read() as conn:
        schemas = conn.execute(text("select nspname from pg_namespace where nspname like 'rebuild%'")).all()
    assert schemas == []
    migrations.check(SERVICE, owner_of(system.settings.database_url))


def test_an_owner_that_runs_the_service_itself_keeps_its_rights(system):
    owner = make_url(owner_of(system.settings.database_url)).username
    run(system, role=owner)
    with behind(system.database) as conn:
        for right in ("select", "insert", "update", "delete"):
            may = text("select bool_and(has_table_privilege(:owner, oid, :right)) from pg_class"
                       " where relkind in ('r', 'p') and relnamespace = 'facts'::regnamespace")  # fmt: skip
            assert conn.execute(may, {"owner": owner, "right": right}).scalar(), right
    run(system)  # for the role that runs it


def test_facts_go_on_arriving_after_the_swap(system):
    run(system)
    before = len(contents(system)["fact_sales"])
    system.publish(*some_sales(1000, 3), facts.sale(1003, day=date(2018, 7, 1)))
    system.deliver()
    assert len(contents(system)["fact_sales"]) == before + 4


def test_a_tampered_fact_is_found_and_only_replaced_when_the_difference_is_accepted(system):
    before = contents(system)
    with behind(system.database) as conn:
        conn.execute(text("update facts.fact_sale_lines set net_fen = net_fen + 1 where seq = 7"))
        conn.execute(text("delete from facts.fact_points"))
    with pytest.raises(FactsDiffer) as refused:
        run(system)
    assert refused.value.context["differences"] == [
        "fact_points customers 2017-03: 0 rows live, 1 rebuilt",
        "fact_sale_lines finance 2017-03: 31 rows live, 31 rebuilt",
    ]
    assert contents(system) != before
    assert len(run(system, accept_differences=True).differences) == 2
    assert contents(system) == before


def test_what_is_parked_or_discarded_stays_out_and_what_was_re_driven_is_in(system):
    with system.database.read() as conn:
        assert conn.execute(text("select count(*) from parked_events where state = 'parked'")).scalar() == 1
    before = contents(system)
    with system.database.begin() as conn:
        conn.execute(text("update parked_events set state = 'discarded'"))
    assert run(system).refused == 0
    assert contents(system) == before


def test_what_the_live_facts_do_not_have_yet_is_left_to_the_consumer(system):
    system.publish(*some_sales(2000, 5))
    newest = len(system.producers["finance"].published)
    # The third newest overtakes the others, as after a redelivery.
    apply_batch(system.database, SERVICE, system.feeds["finance"].events(after=newest - 3, limit=1))
    before = contents(system)
    run(system)
    assert contents(system) == before
    system.deliver()
    system.deliver()
    assert len(contents(system)["fact_sales"]) == len(before["fact_sales"]) + 4


def test_the_consumer_goes_on_while_facts_are_rebuilt(system):
    stop = threading.Event()
    failed: list[BaseException] = []

    def consume() -> None:
        number = 3000
        try:
            while not stop.is_set():
                system.publish(*some_sales(number, 10))
                number += 10
                system.deliver()
        except BaseException as error:  # noqa: BLE001  told to the test
            failed.append(error)

    consumer = threading.Thread(target=consume)
    consumer.start()
    try:
        for _ in range(2):
            assert run(system).differences == []
    finally:
        stop.set()
        consumer.join()
    assert failed == []
    system.deliver()
    published = [
        each for each in system.producers["finance"].published if each.type == "finance.sale.posted.v1"
    ]
    assert len(contents(system)["fact_sales"]) == len(published) - 1
    assert run(system).differences == []


def test_two_rebuilds_at_once_are_one_too_many(system):
    with system.database.begin() as conn:
        conn.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": REBUILD_LOCK})
        with pytest.raises(RebuildRunning):
            run(system)


def test_a_rebuild_reads_archived_months_and_the_log_as_one(system):
    """Last of the module: from here on half of what finance published lies in files."""
    finance = system.producers["finance"]
    moved_to(finance.database, date(2024, 5, 1), first=1, last=30)
    moved_to(finance.database, date(2024, 6, 1), first=31, last=50)
    files = archive_all(finance.database, finance.service, finance.archive)
    assert len(files) == 2
    before = contents(system)
    done = run(system)
    assert (done.differences, done.refused) == ([], 0)
    assert contents(system) == before
    with finance.database.begin() as conn:
        assert conn.execute(text("select min(seq) from outbox")).scalar_one() == 51
