"""A month of the books closes when its points and returns have come back, wherever they are held up.

Real finance, real customers, and returns that publishes what it is told to; the test moves every event by hand:
numbered by the producer, applied by the consumer, one stretch of the way after the other.
"""

from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from customers.app import SERVICE as CUSTOMERS
from finance.app import SERVICE as FINANCE
from finance.closing.commands import close
from shared import acceptance, incarnation, sequencer, watermark
from shared.client import FeedClient
from shared.clock import utc_now
from shared.consumer import apply_batch
from shared.database import Database, new_metadata
from shared.identity import Actor, LocalIssuer
from shared.service import Service
from shared.settings import Settings
from shared.tables import mechanism_tables
from shared.transaction import Tx
from tests.support import quiet
from tests.support.finance_builders import Office
from tests.support.ledger_service import served
from tests.support.reporting_system import Producer
from tests.support.roles import behind, create_tables

NET, COST, POINTS = 3_451, 2_300, 39
"""Of one sale: 39.00 with 4.49 tax, and a point per yuan paid."""
OPERATOR = Actor("li.wei", frozenset({"operator"}), frozenset())
PAGE = 5_000


class Chain:
    """Finance with what it listens to; `number` and `apply` move events one stretch."""

    def __init__(self, stack, migrated_database, make_database, folder):
        issuer = LocalIssuer(folder / "feeds")
        self.token = issuer.token("test", ["feed"])
        self.customers = Database(migrated_database("customers"))
        metadata = new_metadata()
        mechanism_tables(metadata)
        returns = Service(name="returns", title="returns", metadata=metadata)
        database = Database(create_tables(returns, make_database()))
        self.returns = Producer("returns", database, returns, folder / "archive")
        self.urls = {}
        for service, url in ((CUSTOMERS, self.customers.url), (returns, self.returns.database.url)):
            own = Settings(
                database_url=url, jwks=str(issuer.jwks), issuer=issuer.issuer, audience=issuer.audience
            )
            self.urls[service.name] = stack.enter_context(served(service, own))
        quiet_feeds, quiet_token = dict(quiet.feeds), list(quiet.token)
        quiet.feeds.update(self.urls)
        quiet.token[:] = [self.token]
        self.office = Office(migrated_database("finance"), folder / "office")
        self.office.app.extensions["service"] = FINANCE
        quiet.feeds.update(quiet_feeds)
        quiet.token[:] = quiet_token
        finance = Settings(
            database_url=self.office.database.url,
            jwks=str(issuer.jwks),
            issuer=issuer.issuer,
            audience=issuer.audience,
        )
        self.urls["finance"] = stack.enter_context(served(FINANCE, finance))
        stack.callback(self.office.close)
        stack.callback(self.customers.dispose)
        stack.callback(self.returns.database.dispose)

    def number(self, database, limit=PAGE):
        with database.begin() as conn:
            sequencer.number_events(conn, limit)

    def apply(self, database, service, source, limit=PAGE):
        """At most `limit` of the source's events that are not here yet."""
        with database.begin() as conn:
            watermark.ensure_sources(conn, service.sources)
            after = watermark.state_of(conn, source).contiguous_seq
        feed = FeedClient(source, self.urls[source], self.token)
        page = feed.events(after=after, limit=limit) if limit else []
        feed.close()
        if page:
            assert apply_batch(database, service, page).parked == 0
            with database.begin() as conn:
                watermark.advance(conn, source)

    def stretches(self):
        """The way of a sale's points, and of a settled return, in order."""
        return [
            lambda limit: self.number(self.office.database, limit),
            lambda limit: self.apply(self.customers, CUSTOMERS, "finance", limit),
            lambda limit: self.number(self.customers, limit),
            lambda limit: self.apply(self.office.database, FINANCE, "customers", limit),
            lambda limit: self.apply(self.office.database, FINANCE, "returns", limit),
        ]

    def close(self, month):
        self.office.seal()
        return self.office.post(f"/v1/periods/{month:%Y-%m}/close", role="finance_head")

    def moved(self, month, account):
        rows = self.office.get(f"/v1/trial-balances/{month:%Y-%m}").json["rows"]
        found = [row for row in rows if row["account"] == account]
        return sum(row["credit"]["fen"] - row["debit"]["fen"] for row in found)


@pytest.fixture(scope="module")
def chain(migrated_database, postgres, tmp_path_factory):
    made = []

    def make_database():
        made.append(postgres.create_database())
        return made[-1]

    with ExitStack() as stack:
        yield Chain(stack, migrated_database, make_database, tmp_path_factory.mktemp("chain"))
    for url in made:
        postgres.drop_database(url)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(close, "PATIENCE_S", 0.0)


months = iter(date(2019 + n // 11, n % 11 + 1, 1) for n in range(4, 60))  # a December needs its transfer
REASONS = {
    0: ("finance", "unsequenced"),
    1: ("customers", "source_behind"),
    2: ("customers", "unsequenced"),
    3: ("customers", "missing_events"),
    4: ("returns", "missing_events"),
}
"""By the stretch at which everything waits, or all but one event."""


@pytest.mark.requirement("F2", "F15", "X3")
@pytest.mark.parametrize("through", [0, 1])
@pytest.mark.parametrize("held_at", REASONS)
def test_wherever_facts_are_held_up_the_month_closes_with_the_same_figures(
    chain, impatient, held_at, through
):
    month = next(months)
    sold = [chain.office.sell(sold_at=f"{month}T04:00:00Z", customer_id=str(uuid4())) for _ in range(3)]
    goods = [(0, 2, "restock", NET, 449, COST)]
    back = [chain.office.settled(sale, goods, settled_on=str(month)) for sale in sold[:2]]
    chain.returns.publish([replace(told, day=month) for told in back])
    stretches = chain.stretches()
    for go in stretches[:held_at]:
        go(PAGE)
    if through:
        stretches[held_at](through)
    refused = chain.close(month)
    assert (refused.status_code, refused.json["code"]) == (409, "sources_behind"), refused.json
    assert REASONS[held_at] in {(each["source"], each["reason"]) for each in refused.json["obstacles"]}
    for go in stretches:
        go(PAGE)
    closed = chain.close(month)
    assert closed.status_code == 200, closed.json
    assert chain.moved(month, "2204") == POINTS * 3
    assert chain.moved(month, "6001") == NET - POINTS * 3
    assert chain.moved(month, "6401") == -COST


@pytest.mark.requirement("F2")
def test_a_service_that_cannot_be_asked_keeps_the_month_open(chain, impatient):
    month = next(months)
    chain.office.sell(sold_at=f"{month}T04:00:00Z")
    for go in chain.stretches():
        go(PAGE)
    feeds = chain.office.app.extensions["feeds"]
    chain.office.app.extensions["feeds"] = [each for each in feeds if each.source != "customers"]
    try:
        refused = chain.close(month)
        shown = chain.office.get(f"/v1/periods/{month:%Y-%m}/obstacles").json["obstacles"]
    finally:
        chain.office.app.extensions["feeds"] = feeds
    assert (refused.status_code, refused.json["code"]) == (503, "sources_unreachable")
    assert [each["code"] for each in shown] == ["sources_unreachable"]
    assert chain.close(month).status_code == 200


@pytest.mark.requirement("F2")
def test_what_customers_could_not_apply_keeps_the_month_open(chain, impatient):
    month = next(months)
    chain.office.sell(sold_at=f"{month}T04:00:00Z", customer_id=str(uuid4()))
    chain.number(chain.office.database)
    with chain.customers.begin() as conn:
        conn.exec_driver_sql(
            "insert into parked_events (id, source, seq, type, reason_code, reason, payload, parked_at)"
            " values (gen_random_uuid(), 'finance', 1000000, 'finance.sale.posted.v1', 'x', 'x',"
            " jsonb_build_object('day', %s::text), now())",
            (str(month),),
        )
    for go in chain.stretches():
        go(PAGE)
    refused = chain.close(month).json
    assert [each["reason"] for each in refused["obstacles"]] == ["parked_at_source"]
    with chain.customers.begin() as conn:
        conn.exec_driver_sql("update parked_events set state = 'discarded'")
    assert chain.close(month).status_code == 200


# --- a log that is not the one that was read ---------------------------------------------------------


def reasons(chain, month):
    """What closing is refused with, and the list of what stands in its way, which says the same."""
    refused = chain.close(month)
    assert (refused.status_code, refused.json["code"]) == (409, "sources_behind"), refused.json
    [shown] = chain.office.get(f"/v1/periods/{month:%Y-%m}/obstacles").json["obstacles"]
    assert (shown["code"], shown["about"]["obstacles"]) == ("sources_behind", refused.json["obstacles"])
    return [(each["source"], each["reason"]) for each in refused.json["obstacles"]]


def beat(chain):
    feed = FeedClient("customers", chain.urls["customers"], chain.token)
    level = watermark.beat(chain.office.database, "finance", feed)
    feed.close()
    return level


def set_back(database):
    """What a dump from before the last event brings back, into the same tables."""
    with behind(database) as conn:
        for statement in (
            "delete from outbox where seq = (select last_seq from outbox_head)",
            "delete from outbox_totals",
            "insert into outbox_totals select day, type, count(*), sum(amount_fen) from outbox group by 1, 2",
            "update outbox_head set (last_seq, log_hash) = (select seq, log_hash from outbox order by seq desc limit 1)",
        ):
            conn.exec_driver_sql(statement)


def raise_epoch(chain):
    with chain.customers.begin() as conn:
        tx = Tx(conn=conn, actor=OPERATOR, now=utc_now())
        return incarnation.raise_epoch(tx, "restored to 02:00")


def accept(chain):
    feed = FeedClient("customers", chain.urls["customers"], chain.token)
    acceptance.accept(
        chain.office.database, FINANCE, feed, actor=OPERATOR, reason="customers was restored to 02:00"
    )
    feed.close()


def a_month_with_points(chain):
    month = next(months)
    chain.office.sell(sold_at=f"{month}T04:00:00Z", customer_id=str(uuid4()))
    for go in chain.stretches():
        go(PAGE)
    chain.office.seal()
    assert chain.office.get(f"/v1/periods/{month:%Y-%m}/obstacles").json["obstacles"] == []
    return month


@pytest.mark.requirement("F2", "X3")
def test_customers_log_of_another_epoch_keeps_the_month_open_until_it_is_accepted(chain, impatient):
    month = a_month_with_points(chain)
    raise_epoch(chain)
    assert reasons(chain, month) == [("customers", "unknown_epoch")]
    assert not beat(chain)
    assert reasons(chain, month) == [("customers", "unknown_epoch")], "halted"
    accept(chain)
    assert chain.close(month).status_code == 200


@pytest.mark.requirement("F2", "X3")
def test_customers_log_that_lost_its_end_keeps_the_month_open_until_it_is_accepted(chain, impatient):
    month = a_month_with_points(chain)
    set_back(chain.customers)
    assert reasons(chain, month) == [("customers", "log_behind")]
    assert not beat(chain)
    assert reasons(chain, month) == [("customers", "log_behind")], "halted"
    raise_epoch(chain)
    assert reasons(chain, month) == [("customers", "log_behind")], "raised, and not accepted"
    accept(chain)
    for go in chain.stretches():
        go(PAGE)
    assert chain.close(month).status_code == 200
