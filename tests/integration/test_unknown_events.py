"""What no code of a consumer knows waits in every service, over both transports, and is applied once it is known.

Five producers that only publish, with real relays, feeds and a broker; the five real consumers listen to them. Among
what they hear is a type that the consumer needs and, an old release, does not know yet.
"""

import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date

import orjson
import pytest
from sqlalchemy import text

from deploy.generate.repository import ROOT, SERVICES
from shared import consuming, ops, outbox, parking, relay, watermark
from shared.clock import utc_now
from shared.completeness import hear
from shared.consuming import open_feeds
from shared.database import Database, new_metadata
from shared.events import Event
from shared.identity import LocalIssuer, system_actor
from shared.service import Service, load
from shared.settings import Settings
from shared.tables import mechanism_tables
from shared.transaction import Tx
from tests.support import queues
from tests.support.eventually import eventually
from tests.support.ledger_service import served
from tests.support.roles import create_tables

PRODUCERS = ("customers", "finance", "service_desk", "returns", "reporting")
NEEDED = {
    "customers": ("finance.sale.posted.v1", "point_sales"),
    "finance": ("customers.permission.changed.v1", "trade_permissions"),
    "service_desk": ("customers.customer.registered.v1", "known_customers"),
    "returns": ("finance.sale.posted.v1", "sold_lines"),
    "reporting": ("finance.sale.posted.v1", "facts.fact_sales"),
}
"""What each consumer makes of a type once its release knows it."""
BORING = {"customers": "customers.licence.expired.v1", "finance": "finance.period.closed.v1"}
"""Known to every release and needed by reporting alone."""
NEVER = ("finance.sale.posted.v9", "finance.sale.postd.v1", "finance.loan.granted.v1")
"""Another version, a misspelled type, and one that no release has."""
DAY = date(2026, 3, 3)


def example(kind):
    folder = ROOT / "services" / SERVICES[kind.partition(".")[0]] / "contracts" / "events"
    data = orjson.loads((folder / f"{kind}.json").read_bytes())["data"]
    if "tenders" in data:  # paid without points: nobody here has promised any
        data["tenders"] = [{"tender": "cash", "fen": data["total_fen"]}]
    return data


def told_by(producer):
    """Types and data: what the consumers need, what they do not, and what nobody knows."""
    kinds = {kind for kind, _ in NEEDED.values() if kind.startswith(f"{producer}.")}
    told = [(kind, example(kind)) for kind in sorted(kinds | {BORING.get(producer)} - {None})]
    return told + [(kind.replace("finance.", f"{producer}.", 1), {"anything": 1}) for kind in NEVER]


@contextmanager
def running(work, service, settings):
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(service, settings, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(15)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def world(postgres, rabbitmq, tmp_path_factory):
    """Everything told, numbered and in every consumer's queue; feeds are served."""
    issuer = LocalIssuer(tmp_path_factory.mktemp("keys"))
    common = {"jwks": str(issuer.jwks), "issuer": issuer.issuer, "audience": issuer.audience}
    amqp_url = rabbitmq.vhost()
    for package in SERVICES:
        queues.declare(load(package), amqp_url)
    feeds = {}
    with ExitStack() as stack:
        for name in PRODUCERS:
            above = postgres.create_database()
            stack.callback(postgres.drop_database, above)
            metadata = new_metadata()
            mechanism_tables(metadata)
            service = Service(name=name, title=name, metadata=metadata)
            url = create_tables(service, above)
            database = Database(url, pool_size=2)
            stack.callback(database.dispose)
            with database.begin() as conn:
                tx = Tx(conn=conn, actor=system_actor(name), now=utc_now())
                for no, (kind, data) in enumerate(told_by(name)):
                    amount_fen = data.get("total_fen", 0)
                    outbox.append(tx, Event(type=kind, subject=f"s{no}", version=1, day=DAY, data=data, amount_fen=amount_fen))  # fmt: skip
            settings = Settings(database_url=url, **common)
            feeds[name] = stack.enter_context(served(service, settings))
            relays = replace(settings, transport="amqp", amqp_url=amqp_url)
            with running(relay.run, service, relays):
                eventually(lambda: confirmed(database) == len(told_by(name)), within_s=30)  # noqa: B023
        yield {"amqp_url": amqp_url, "feeds": feeds, "feed_token": issuer.token("consumer", ["feed"])}


def confirmed(database):
    with database.read() as conn:
        return conn.execute(text("select sum(confirmed_seq) from relay_cursor")).scalar()


def reached(database, service):
    with database.begin() as conn:
        return {source: watermark.advance(conn, source) for source in service.sources}


def parked_by(database):
    with database.read() as conn:
        return sorted((each["type"], each["reason_code"]) for each in parking.list_parked(conn))


def reasons(database):
    with database.read() as conn:
        return [each["reason"] for each in parking.list_parked(conn)]


def rows(database, table):
    with database.read() as conn:
        return conn.execute(text(f"select count(*) from {table}")).scalar()


def redrive_all(service, settings, capsys):
    """The operator's command; what became of each event."""
    capsys.readouterr()
    given = ops.arguments().parse_args(["--actor", "li.wei", service.name, "parked", "redrive", "--all"])
    ops.work(service, settings, given)
    lines = capsys.readouterr().out.splitlines()
    return [orjson.loads(line)["result"] for line in lines if line.startswith("{")]


@pytest.mark.case("F27")
@pytest.mark.parametrize("transport", ["amqp", "feed"])
@pytest.mark.parametrize("package", SERVICES)
def test_what_nobody_here_knows_is_parked_and_applied_by_the_release_that_knows_it(
    package, transport, world, migrated_database, capsys
):
    needed, table = NEEDED[package]
    newer = load(package)
    old = replace(newer, known_types=newer.known_types - {needed})
    settings = Settings(database_url=migrated_database(package), transport=transport, **world)
    database = Database(settings.database_url, pool_size=2)
    told = {source: told_by(source) for source in newer.sources}
    with running(consuming.run, old, settings):
        eventually(
            lambda: reached(database, old) == {source: len(each) for source, each in told.items()},
            within_s=30,
        )
    unknown = [kind for each in told.values() for kind, _ in each if kind not in old.known_types]
    assert parked_by(database) == sorted((kind, "unknown_type") for kind in unknown)
    assert rows(database, table) == 0

    never = len(unknown) - 1
    assert sorted(redrive_all(old, settings, capsys)) == ["refused_again"] * (never + 1)
    redriven = sorted(redrive_all(newer, settings, capsys))
    assert redriven == ["applied", *["refused_again"] * never], reasons(database)
    assert rows(database, table) > 0
    assert needed not in [kind for kind, _ in parked_by(database)]

    # Whoever closes a month waits for a decision on the rest.
    feeds = open_feeds(newer, settings)
    heard = hear(database, newer, feeds, DAY.replace(day=1), DAY.replace(day=31), patience_s=0)
    assert {each.source for each in heard.obstacles if each.reason == "parked_events"} == set(
        newer.closing_sources
    )
    for feed in feeds:
        feed.close()
    database.dispose()
