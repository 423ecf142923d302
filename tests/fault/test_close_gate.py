"""F20: a month does not close while anything of it is missing; the refusal names source and day."""

from datetime import date

import httpx
import pytest
from sqlalchemy import text

from reporting.app import SERVICE
from reporting.facts.commands.rebuild import rebuild
from shared import watermark
from shared.consumer import apply_batch
from tests.support import facts
from tests.support.reporting_system import forget, running
from tests.support.roles import behind, owner_of


@pytest.fixture(scope="module")
def running_system(postgres, migrated_database, tmp_path_factory):
    with running(postgres, migrated_database("reporting"), tmp_path_factory.mktemp("issuer")) as started:
        started.publish(
            *(facts.sale(number, day=date(2017, 5, 1 + number)) for number in range(1, 11)),
            facts.refund(1, sale_id="sale-3", day=date(2017, 5, 20)),
            facts.period_closed(1, month=date(2017, 5, 1)),
            facts.return_settled(1, day=date(2017, 5, 20)),
            facts.feedback(1, day=date(2017, 5, 2)),
            facts.customer_registered(1, day=date(2017, 5, 3)),
        )
        yield started


@pytest.fixture
def system(running_system):
    """Every test starts with nothing delivered."""
    forget(running_system.database)
    return running_system


def close(system, key):
    return httpx.post(
        f"{system.url}/v1/months/2017-05/close",
        headers=system.headers("accountant", key=key),
        trust_env=False,
        timeout=60,
    )


def obstacles(answer):
    assert answer.status_code == 409, answer.text
    body = answer.json()
    assert body["code"] == "month_incomplete"
    return [(each["source"], each["reason"], each["day"]) for each in body["obstacles"]]


def is_closed(system):
    with system.database.read() as conn:
        return bool(conn.execute(text("select count(*) from month_closes")).scalar())


@pytest.mark.requirement("X3", "P2")
@pytest.mark.case("F20")
def test_a_missing_event_keeps_the_month_open_until_it_is_repaired(system):
    system.deliver(but=[("finance", 4)])
    refused = obstacles(close(system, "gap"))
    assert ("finance", "missing_events", None) in refused
    assert ("finance", "control_total_mismatch", "2017-05-05") in refused
    assert {source for source, _, _ in refused} == {"finance"}
    assert not is_closed(system)

    watermark.repair(system.database, SERVICE, system.feeds["finance"], through=11)
    assert close(system, "repaired").status_code == 200
    assert is_closed(system)


@pytest.mark.requirement("X3")
@pytest.mark.case("F20")
def test_a_lost_tail_that_nothing_follows_keeps_the_month_open(system):
    system.deliver(but=[("returns", 1)])
    refused = obstacles(close(system, "tail"))
    assert ("returns", "control_total_mismatch", "2017-05-20") in refused
    system.deliver()
    assert close(system, "tail-again").status_code == 200


@pytest.mark.requirement("X3")
def test_a_fact_that_differs_by_one_fen_keeps_the_month_open_until_it_is_rebuilt(system):
    system.deliver()
    with behind(system.database) as conn:
        conn.execute(text("update facts.fact_sale_lines set net_fen = net_fen - 1 where seq = 6"))
    answer = close(system, "fen")
    assert obstacles(answer) == [("finance", "control_total_mismatch", "2017-05-07")]
    found = answer.json()["obstacles"][0]
    assert found["found"]["amount_fen"] == found["expected"]["amount_fen"] - 1

    rebuild(
        owner_of(system.settings.database_url),
        SERVICE,
        list(system.feeds.values()),
        role="reporting",
        accept_differences=True,
    )
    assert close(system, "rebuilt").status_code == 200


@pytest.mark.requirement("X3")
def test_a_parked_event_keeps_the_month_open_until_it_is_decided(system):
    page = system.feeds["service_desk"].events(after=0, limit=10)
    page[0].data.pop("channel")
    apply_batch(system.database, SERVICE, page)
    system.deliver()
    assert ("service_desk", "parked_events", "2017-05-02") in obstacles(close(system, "parked"))


@pytest.mark.requirement("X3")
def test_a_silent_source_keeps_the_month_open(system):
    system.deliver()
    with behind(system.producers["customers"].database) as conn:
        conn.execute(text("alter table outbox_head rename to elsewhere"))
    try:
        assert obstacles(close(system, "silent")) == [("customers", "source_unreachable", None)]
    finally:
        with behind(system.producers["customers"].database) as conn:
            conn.execute(text("alter table elsewhere rename to outbox_head"))
    assert close(system, "answers").status_code == 200
