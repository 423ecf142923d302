"""F27, F30: services of different ages talk to each other, and a producer's clock is wrong by an hour."""

from collections import Counter
from datetime import timedelta

import pytest

from deploy.generate.repository import SERVICES, examples
from shared import parking
from shared.clock import utc_now
from shared.consumer import apply_batch
from shared.database import Database
from shared.identity import system_actor
from shared.service import load
from shared.transaction import Tx
from tests.support import facts
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support.finance_builders import Office, a_line, a_receipt

pytestmark = pytest.mark.requirement("X3")


@pytest.mark.case("F27")
@pytest.mark.parametrize("package", SERVICES)
def test_an_optional_field_that_a_newer_producer_adds_changes_nothing(package, migrated_database):
    """Each published example, with and without a field nobody knows yet: the same is applied, the same is parked."""
    service = load(package)
    outcomes = []
    for extra in ({}, {"added_by_a_newer_release": {"deep": [1, "2", None]}}):
        database = Database(migrated_database(package), pool_size=2)
        seqs: Counter[str] = Counter()
        for example in examples():
            if example.producer in service.sources:
                seqs[example.producer] += 1
                told = facts.envelope(seqs[example.producer], example.type, {**example.data, **extra})
                apply_batch(database, service, [told])
        with database.begin() as conn:
            parked = conn.exec_driver_sql(
                "select type, reason_code, reason from parked_events order by type, reason_code, reason"
            ).all()
            known = conn.exec_driver_sql("select count(*) from inbox").scalar_one()
        outcomes.append((sorted(tuple(row) for row in parked), known))
        database.dispose()
    assert seqs.total() > 0
    assert outcomes[0] == outcomes[1]


@pytest.mark.case("F30")
def test_a_producers_clock_that_jumps_an_hour_either_way_disorders_and_loses_nothing(open_world):
    world = open_world("feed")
    for number in range(300):
        jump = timedelta(hours=(-1, 0, 1)[number % 3])
        with world.till.begin() as conn:
            tx = ledger.tx_on(conn)
            shifted = Tx(conn=conn, actor=tx.actor, now=utc_now() + jump, traceparent=tx.traceparent)
            ledger.post(shifted, f"s{number % 20}", number, days=number % 3)
    world.start("relay")
    world.start("consumer")
    oracle.agree(world.till, world.book, within_s=30)
    with world.till.begin() as conn:
        ours = {slip: (version, fen) for slip, version, fen in conn.exec_driver_sql("select * from slips")}
    with world.book.begin() as conn:
        theirs = {slip: (version, fen) for slip, version, fen in conn.exec_driver_sql("select * from latest")}
    assert ours == theirs


@pytest.mark.case("F30")
@pytest.mark.requirement("F1")
def test_a_sale_at_the_turn_of_a_month_belongs_to_the_day_in_shanghai(migrated_database, tmp_path):
    """No zone but Asia/Shanghai decides, and it has no summer time."""
    office = Office(migrated_database("finance"), tmp_path)
    booked = {}
    for number, sold_at in enumerate(
        (
            "2026-01-31T15:59:59Z",
            "2026-01-31T16:00:00Z",
            "2026-02-01T00:00:00+08:00",
            "2026-03-29T01:59:59Z",
        )
    ):
        answer = office.post("/v1/sales", a_receipt(f"T-{number}", sold_at=sold_at, lines=[a_line()]))
        assert answer.status_code == 201, answer.text
        booked[sold_at] = answer.json["booked_on"]
    office.close()
    assert list(booked.values()) == ["2026-01-31", "2026-02-01", "2026-02-01", "2026-03-29"]


@pytest.mark.case("F27")
def test_a_version_nobody_knows_yet_is_parked_and_applied_once_it_is_known(open_world):
    world = open_world("feed")
    with world.till.begin() as conn:
        tx = ledger.tx_on(conn)
        ledger.post(tx, "old", 1)
        ledger.post(tx, "new", 2, event_type="till.slip.posted.v2")
    world.start("relay")
    world.start("consumer")
    oracle.agree(world.till, world.book, parked=1, within_s=30)
    world.kill()
    with world.book.begin() as conn:
        [parked] = conn.exec_driver_sql("select id from parked_events").scalars()

    assert parking.redrive(world.book, ledger.BOOK_FIXED, parked, actor=system_actor("test"))
    oracle.agree(world.till, world.book)
