"""Finance is restored to 02:00 by the commands of the runbook, word for word, and everybody comes through it."""

import re
import shlex
import subprocess
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson
import pytest
from sqlalchemy import make_url, text

from apotheca.postgres import programs
from reporting.queries.totals import own_totals
from shared import completeness, consuming, ops, relay, watermark
from shared.client import FeedClient
from shared.clock import month_of
from shared.database import Database
from shared.identity import LocalIssuer
from shared.service import load
from shared.settings import Settings
from tests.support.eventually import eventually
from tests.support.finance_builders import Office
from tests.support.ledger_service import served
from tests.support.roles import rights_around, superusers

pytestmark = pytest.mark.requirement("X3")

RUNBOOK = Path(__file__).parents[2] / "docs/runbook.md"
TITLE = "### A service was restored to an earlier state\n"
PACKAGES = ("customers", "finance", "service_desk", "returns", "reporting")
CONSUMERS = ("customers", "service_desk", "returns", "reporting")
WITHIN_S = 40
BEFORE, AFTER_DUMP, NEW = 4, 5, 3


def commands_of_the_runbook() -> list[str]:
    """Every line of every shell block of the section, in order."""
    section = RUNBOOK.read_text().split(TITLE)[1].split("\n### ")[0].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


class System:
    """Finance with its web, relay and till, and everybody who listens to it, each on a database of its own."""

    def __init__(self, urls: dict[str, str], folder: Path, transport: str, amqp_url: str | None) -> None:
        self.folder = folder
        self.issuer = LocalIssuer(folder)
        self.common = {
            "transport": transport,
            "amqp_url": amqp_url,
            "jwks": str(self.issuer.jwks),
            "issuer": self.issuer.issuer,
            "audience": self.issuer.audience,
        }
        self.urls = urls
        self.feeds: dict[str, str] = {}
        self.running: dict[str, ExitStack] = {}

    def settings(self, package: str) -> Settings:
        token = self.issuer.token(package, ["feed"])
        return Settings(
            database_url=self.urls[package], feeds=dict(self.feeds), feed_token=token, **self.common
        )

    @contextmanager
    def loop(self, role, package: str):
        stop = threading.Event()
        work = threading.Thread(target=role, args=(load(package), self.settings(package), stop))
        work.start()
        try:
            yield
        finally:
            stop.set()
            work.join(20)
            assert not work.is_alive()

    def start_finance(self) -> None:
        stack = self.running["finance"] = ExitStack()
        stack.enter_context(self.loop(relay.run, "finance"))
        self.till = Office(self.urls["finance"], self.folder)
        stack.callback(self.till.close)

    def feed(self, package: str = "reporting") -> FeedClient:
        return FeedClient("finance", self.feeds["finance"], self.issuer.token(package, ["feed"]))

    # --- the commands of the runbook, on these servers instead of those in containers

    def run(self, line: str) -> tuple[int, list[dict]]:
        words = shlex.split(line)
        assert words[:2] == ["docker", "compose"], line
        if words[2] == "stop":
            self.running.pop("finance").close()
        elif words[2] == "start":
            self.start_finance()
        elif "shared.ops" in words:
            return self.operate(words[words.index("shared.ops") + 1 :])
        else:
            assert words[2:5] == ["exec", "-T", "postgres"], line
            self.restore(words[6:]) if words[5].endswith("/restore.sh") else self.server(words[5:])
        return 0, []

    def restore(self, words: list[str]) -> None:
        """What restore.sh does, in a database of another name: the rights, the dump, the rights again."""
        url = self.urls["finance"]
        self.server(["createdb", "-U", "postgres", "finance"])
        rights_around(superusers[url], "finance")
        self.server(["pg_restore", "-U", "postgres", "-d", *words[:1], "--single-transaction", *words[1:]])
        rights_around(superusers[url], "finance")

    def server(self, words: list[str]) -> None:
        """A program of PostgreSQL. The database of the test has another name, and its server another superuser."""
        url = make_url(superusers[self.urls["finance"]])
        program, *given = words
        source = target = None
        if len(given) > 1 and given[-2] in {"<", ">"}:
            path = self.folder / given[-1]
            source, target = (path.open("rb"), None) if given[-2] == "<" else (None, path.open("wb"))
            given = given[:-2]
        user = given.index("-U")
        before = [*given[:user], "-U", url.username, *given[user + 2 :]]
        arguments = [url.database if each == "finance" else each for each in before]
        environment = {
            "PGPASSWORD": url.password or "",
            "PGHOST": url.host or str(url.query.get("host", "")),
            "PGPORT": str(url.port or ""),
        }
        subprocess.run(
            [str(programs() / program), *arguments],
            stdin=source,
            stdout=target,
            check=True,
            timeout=60,
            env={name: value for name, value in environment.items() if value},
        )

    def operate(self, words: list[str]) -> tuple[int, list[dict]]:
        said: list[dict] = []
        given = ops.arguments().parse_args(words)
        before, ops.say = (
            ops.say,
            lambda **fields: said.append(orjson.loads(orjson.dumps(fields, default=str))),
        )
        try:
            return ops.work(load(given.package), self.settings(given.package), given), said
        finally:
            ops.say = before

    def states(self) -> dict[str, watermark.SourceState]:
        found = {}
        for package in CONSUMERS:
            with psycopg_database(self.urls[package]) as database, database.begin() as conn:
                found[package] = watermark.state_of(conn, "finance")
        return found

    def head(self) -> int:
        return self.feed().head().last_seq

    def level(self) -> bool:
        head = self.head()
        return all(
            state.contiguous_seq == head and state.halted_reason is None for state in self.states().values()
        )

    def obstacles(self) -> list[tuple[str, str]]:
        """What keeps reporting from closing the month of the sales, for finance."""
        month = month_of(self.day)
        with psycopg_database(self.urls["reporting"]) as database:
            found = completeness.gate(
                database, load("reporting"), [self.feed()], month, own_totals, patience_s=0
            )
        return [(each.source, each.reason) for each in found if each.source == "finance"]


@contextmanager
def psycopg_database(url: str):
    database = Database(url, pool_size=2)
    try:
        yield database
    finally:
        database.dispose()


@pytest.fixture(params=["feed", "amqp"])
def system(request, migrated_database, tmp_path):
    transport = request.param
    amqp_url = request.getfixturevalue("rabbitmq").vhost() if transport == "amqp" else None
    urls = {package: migrated_database(package) for package in PACKAGES}
    made = System(urls, tmp_path, transport, amqp_url)
    with ExitStack() as stack:
        for package in PACKAGES:
            made.feeds[package] = stack.enter_context(served(load(package), made.settings(package)))
        for package in CONSUMERS:
            stack.enter_context(made.loop(consuming.run, package))
        made.start_finance()
        stack.callback(lambda: made.running["finance"].close() if "finance" in made.running else None)
        yield made


def test_finance_is_restored_to_0200_by_the_words_of_the_runbook(system):
    (
        dump, stop, drop, restore, start, show, lag, raise_epoch, *accepts, level
    ) = commands_of_the_runbook()  # fmt: skip
    for _ in range(BEFORE):
        sale = system.till.sell()
    system.day = sale_day(system, sale)
    eventually(system.level, within_s=WITHIN_S)
    at_0200 = system.head()
    system.run(dump)
    for _ in range(AFTER_DUMP):
        system.till.sell()
    eventually(lambda: system.head() == at_0200 + AFTER_DUMP and system.level(), within_s=WITHIN_S)

    for command in (stop, drop, restore, start):
        system.run(command)
    for _ in range(NEW):
        system.till.sell()
    eventually(
        lambda: {state.halted_reason for state in system.states().values()} == {"log_behind"},
        within_s=WITHIN_S,
    )
    code, [said] = system.run(show)
    assert (code, said["last_seq"]) == (1, at_0200)
    assert said["held"]
    code, rows = system.run(lag)
    assert code == 1
    assert [row["halted"] for row in rows if row["source"] == "finance"] == ["log_behind"]
    assert [row["halted"] for row in rows if row["source"] != "finance"] == [None] * 3
    assert system.obstacles() == [("finance", "log_behind")]
    with psycopg_database(system.urls["finance"]) as database:
        waiting = "select count(*) from outbox where seq is null"
        with database.begin() as conn:
            assert conn.execute(text(waiting)).scalar() == NEW, "nothing is numbered before the decision"

    code, [said] = system.run(raise_epoch)
    assert (code, said["held"]) == (0, None)
    eventually(lambda: system.head() == at_0200 + NEW, within_s=WITHIN_S)
    assert system.obstacles() == [("finance", "log_behind")]
    assert len(accepts) == len(CONSUMERS)
    for accept in accepts:
        code, said = system.run(accept)
        assert (code, said[-1]["same_up_to"], said[-1]["lost"]) == (0, at_0200, AFTER_DUMP), said
    eventually(system.level, within_s=WITHIN_S)
    code, rows = system.run(level)
    assert [row["behind"] for row in rows if row["source"] == "finance"] == [0]
    assert code == 0
    assert system.obstacles() == []  # counts, sums and ids of reporting's facts are finance's own
    copies = "select count(distinct sale_id) from sold_lines"
    with psycopg_database(system.urls["returns"]) as database, database.begin() as conn:
        assert conn.execute(text(copies)).scalar() == BEFORE + NEW


def sale_day(system, sale):
    with psycopg_database(system.urls["finance"]) as database, database.begin() as conn:
        return conn.execute(
            text("select day from outbox where type = 'finance.sale.posted.v1' limit 1")
        ).scalar_one()
