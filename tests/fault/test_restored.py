"""A service is restored to 02:00 by the commands of the runbook, word for word, and everybody comes through it.

Among what is lost are sales of a member, one of them paid with points: afterwards customers, finance and reporting
have the same points again.
"""

import base64
import re
import shlex
import subprocess
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import orjson
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url, text

from apotheca.postgres import programs
from reporting.facts.queries.totals import own_totals
from shared import completeness, consuming, ops, relay, watermark
from shared.client import FeedClient
from shared.clock import month_of
from shared.database import Database
from shared.identity import LocalIssuer
from shared.service import load
from shared.settings import Settings
from tests.support import restoring
from tests.support.eventually import eventually
from tests.support.finance_builders import Office, a_line, a_receipt, money
from tests.support.ledger_service import served
from tests.support.roles import superusers

pytestmark = pytest.mark.requirement("X3")

RUNBOOK = Path(__file__).parents[2] / "docs/runbook.md"
TITLE = "### A service was restored to an earlier state\n"
PACKAGES = ("customers", "finance", "service_desk", "returns", "reporting")
WITHIN_S = 40
BEFORE, AFTER_DUMP, NEW = 4, 5, 3
REDEEMED = 30
SWAP = {"finance": "customers", "customers": "finance"}
# What each kind of fact about points adds to what a customer has.
POINTS = (
    "select coalesce(sum(points * case when fact in ('earned', 'restored', 'corrected') then 1 else -1 end), 0)::bigint"
    " from facts.fact_points"
)
LIABILITY = (
    "select coalesce(sum(credit_fen - debit_fen), 0)::bigint from journal_lines where account = '2204'"
)
SET_ASIDE = "select coalesce(sum(points), 0)::bigint from point_redemptions where state = 'open'"


def commands_of_the_runbook() -> list[str]:
    """Every line of every shell block of the section, in order."""
    section = RUNBOOK.read_text().split(TITLE)[1].split("\n### ")[0].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


class System:
    """Finance with its till, customers, and everybody who listens to them, each on a database of its own."""

    def __init__(
        self, urls: dict[str, str], folder: Path, transport: str, amqp_url: str | None, restored: str
    ) -> None:
        self.folder = folder
        self.restored = restored
        self.consumers = [each for each in PACKAGES if each != restored]
        self.issuer = LocalIssuer(folder)
        self.common = {
            "transport": transport,
            "amqp_url": amqp_url,
            "jwks": str(self.issuer.jwks),
            "issuer": self.issuer.issuer,
            "audience": self.issuer.audience,
            "master_key": base64.b64encode(bytes(32)).decode(),
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

    def start(self, package: str) -> None:
        stack = self.running[package] = ExitStack()
        stack.enter_context(self.loop(consuming.run, package))
        if package in SWAP:
            stack.enter_context(self.loop(relay.run, package))
        if package == "finance":
            self.till = Office(self.urls["finance"], self.folder)
            stack.callback(self.till.close)

    def stop(self) -> None:
        for stack in self.running.values():
            stack.close()

    def feed(self, source: str | None = None) -> FeedClient:
        source = source or self.restored
        return FeedClient(source, self.feeds[source], self.issuer.token("reporting", ["feed"]))

    # --- a member and points

    def ask_customers(self, path: str, body: dict | None = None, role: str = "till") -> dict:
        headers = {"Authorization": f"Bearer {self.issuer.token(f'the-{role}', [role], ('*',))}"}
        url = f"{self.feeds['customers']}/v1{path}"
        if body is None:
            answer = httpx.get(url, headers=headers, timeout=20)
        else:
            answer = httpx.post(
                url, headers=headers | {"Idempotency-Key": uuid4().hex}, json=body, timeout=20
            )
        assert answer.is_success, answer.text
        return answer.json()

    def register(self) -> str:
        body = {"name": "会员", "branch_id": "S001"}
        return self.ask_customers("/patients", body, "cs_agent")["customer_id"]

    def redeem(self, member: str) -> dict:
        """Points set aside for a receipt; that receipt."""
        number = f"P-{uuid4().hex[:10]}"
        body = {"customer_id": member, "branch_id": "S001", "receipt_number": number, "points": REDEEMED}
        made = self.ask_customers("/redemptions", body)
        line = a_line(
            quantity=1, unit_price=money(REDEEMED), discount=money(0), product={"category": "device"}
        )
        paid = {"tender": "points", "amount": money(REDEEMED), "redemption_id": made["redemption_id"]}
        return a_receipt(number, customer_id=member, lines=[line], tenders=[paid])

    def pay_with_points(self, receipt: dict) -> None:
        """As a till does: again, while finance has not heard of the redemption."""
        eventually(lambda: self.till.post("/v1/sales", receipt).status_code == 201, within_s=WITHIN_S)

    def number(self, package: str, sql: str) -> int:
        with psycopg_database(self.urls[package]) as database, database.begin() as conn:
            return conn.execute(text(sql)).scalar_one()

    def points(self, member: str) -> tuple[int, int, int]:
        """What the member has: as customers says, as finance owes, as reporting counts. A point is worth a fen."""
        shown = self.ask_customers(f"/customers/{member}/points")["balance"]
        owed = self.number("finance", LIABILITY) - self.number("customers", SET_ASIDE)
        return shown, owed, self.number("reporting", POINTS)

    # --- the commands of the runbook, on these servers instead of those in containers

    def run(self, line: str) -> tuple[int, list[dict]]:
        words = shlex.split(line)
        assert words[:2] == ["docker", "compose"], line
        if words[2] == "stop":
            self.running.pop(self.restored).close()
        elif words[2] == "start":
            self.start(self.restored)
        elif "shared.ops" in words:
            return self.operate(words[words.index("shared.ops") + 1 :])
        else:
            assert words[2:5] == ["exec", "-T", "postgres"], line
            if words[5] == f"/opt/apotheca/postgres/{restoring.SCRIPT.name}":
                service, _, dump = words[6:]
                done = restoring.restore(self.superuser(), service, self.folder / dump, self.folder)
                assert done.returncode == 0, done.stderr
            else:
                self.server(words[5:])
        return 0, []

    def superuser(self) -> str:
        return superusers[self.urls[self.restored]]

    def server(self, words: list[str]) -> None:
        """A program of PostgreSQL. The server of the test has another superuser."""
        url = make_url(self.superuser())
        program, *given = words
        source = target = None
        if len(given) > 1 and given[-2] in {"<", ">"}:
            path = self.folder / given[-1]
            source, target = (path.open("rb"), None) if given[-2] == "<" else (None, path.open("wb"))
            given = given[:-2]
        user = given.index("-U")
        arguments = [*given[:user], "-U", url.username, *given[user + 2 :]]
        subprocess.run(
            [str(programs() / program), *arguments],
            stdin=source,
            stdout=target,
            check=True,
            timeout=60,
            env=restoring.reaching(self.superuser()),
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
        for package in self.consumers:
            with psycopg_database(self.urls[package]) as database, database.begin() as conn:
                found[package] = watermark.state_of(conn, self.restored)
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
        return [(each.source, each.reason) for each in found if each.source == self.restored]


@contextmanager
def psycopg_database(url: str):
    database = Database(url, pool_size=2)
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def by_its_own_name(postgres, url: str, service: str):
    """The URL of the database of `url` while it is named as its service is, as in a deployment."""
    name = make_url(url).database

    def rename(old: str, new: str) -> None:
        with psycopg.connect(postgres.admin_url.replace("+psycopg", "", 1), autocommit=True) as conn:
            conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [old])
            conn.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(old), sql.Identifier(new)))  # fmt: skip

    rename(name, service)
    named = make_url(url).set(database=service).render_as_string(hide_password=False)
    superusers[named] = postgres.url(service)
    try:
        yield named
    finally:
        rename(service, name)


@pytest.fixture
def start(request, postgres, migrated_database, tmp_path):
    with ExitStack() as stack:

        def made(transport, restored):
            amqp_url = request.getfixturevalue("rabbitmq").vhost() if transport == "amqp" else None
            urls = {package: migrated_database(package) for package in PACKAGES}
            urls[restored] = stack.enter_context(by_its_own_name(postgres, urls[restored], restored))
            system = System(urls, tmp_path, transport, amqp_url, restored)
            for package in PACKAGES:
                served_at = served(load(package), system.settings(package))
                system.feeds[package] = stack.enter_context(served_at)
            stack.callback(system.stop)
            for package in PACKAGES:
                system.start(package)
            return system

        yield made


@pytest.mark.requirement("C38")
@pytest.mark.parametrize("transport", ["feed", "amqp"])
def test_finance_is_restored_to_0200_by_the_words_of_the_runbook(start, transport):
    system = start(transport, "finance")
    (
        dump, stop, drop, restore, begin, show, lag, raise_epoch, *accepts, level
    ) = commands_of_the_runbook()  # fmt: skip
    member = system.register()
    for _ in range(BEFORE):
        system.till.sell(customer_id=member)
    system.day = sale_day(system)
    eventually(lambda: system.level() and agree(system, member), within_s=WITHIN_S)
    at_0200 = system.head()
    had = system.points(member)[0]
    system.run(dump)
    receipt = system.redeem(member)
    system.pay_with_points(receipt)
    for customer in (member, member, None, member):
        system.till.sell(customer_id=customer)
    eventually(lambda: system.head() == at_0200 + AFTER_DUMP and system.level(), within_s=WITHIN_S)
    eventually(lambda: agree(system, member), within_s=WITHIN_S)
    earned = had // BEFORE
    assert system.points(member)[0] == had + 3 * earned - REDEEMED

    for command in (stop, drop, restore, begin):
        system.run(command)
    for customer in (None, member, member):
        system.till.sell(customer_id=customer)
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
    waiting = "select count(*) from outbox where seq is null"
    assert system.number("finance", waiting) == NEW, "nothing is numbered before the decision"

    code, [said] = system.run(raise_epoch)
    assert (code, said["held"]) == (0, None)
    eventually(lambda: system.head() == at_0200 + NEW, within_s=WITHIN_S)
    assert system.obstacles() == [("finance", "log_behind")]
    assert len(accepts) == len(system.consumers)
    for accept in accepts:
        code, said = system.run(accept)
        assert (code, said[-1]["same_up_to"], said[-1]["lost"]) == (0, at_0200, AFTER_DUMP), said
        assert [row for row in said if "stays" in row] == [], "each service makes good what it can"
    eventually(system.level, within_s=WITHIN_S)
    code, rows = system.run(level)
    assert [row["behind"] for row in rows if row["source"] == "finance"] == [0]
    assert code == 0
    assert system.obstacles() == []  # counts, sums and ids of reporting's facts are finance's own
    copies = "select count(distinct sale_id) from sold_lines"
    assert system.number("returns", copies) == BEFORE + NEW

    eventually(lambda: agree(system, member), within_s=WITHIN_S)
    assert system.points(member)[0] == had + 2 * earned - REDEEMED  # they wait for the receipt
    system.pay_with_points(receipt)
    eventually(lambda: system.level() and agree(system, member), within_s=WITHIN_S)
    assert system.points(member)[0] == had + 2 * earned - REDEEMED
    assert system.number("customers", SET_ASIDE) == 0
    nothing_is_parked(system)


@pytest.mark.requirement("C38")
def test_customers_is_restored_by_the_same_words_and_finance_and_reporting_come_through_it(start):
    """Points are made of finance's log, so they are earned again; the redemption that finance used is taken over."""
    system = start("feed", "customers")
    words = re.compile(r"\b(finance|customers)\b")
    (
        dump, stop, drop, restore, begin, _, _, raise_epoch, *accepts, level
    ) = [words.sub(lambda found: SWAP[found[0]], line) for line in commands_of_the_runbook()]  # fmt: skip
    member = system.register()
    for _ in range(BEFORE):
        system.till.sell(customer_id=member)
    eventually(lambda: system.level() and agree(system, member), within_s=WITHIN_S)
    had = system.points(member)[0]
    at_0200 = system.head()
    system.run(dump)
    system.till.sell(customer_id=member)
    system.pay_with_points(system.redeem(member))
    unused = system.redeem(member)
    eventually(lambda: system.level() and agree(system, member), within_s=WITHIN_S)
    lost = system.head() - at_0200
    assert lost == 3

    for command in (stop, drop, restore, begin):
        system.run(command)
    eventually(
        lambda: {state.halted_reason for state in system.states().values()} == {"log_behind"},
        within_s=WITHIN_S,
    )
    system.run(raise_epoch)
    # The sale that used the lost redemption waits, because customers did not know that its log was set back.
    eventually(lambda: parked(system, "customers") == 1, within_s=WITHIN_S)
    assert system.operate(["customers", "parked", "redrive", "--all"])[0] == 0
    for accept in accepts:
        code, said = system.run(accept)
        assert (code, said[-1]["same_up_to"], said[-1]["lost"]) == (0, at_0200, lost), said
    eventually(lambda: system.level() and agree(system, member), within_s=WITHIN_S)
    assert system.run(level)[0] == 0
    assert system.points(member)[0] == had + had // BEFORE - REDEEMED
    refusal = system.till.post("/v1/sales", unused).json["code"]
    assert refusal == "redemption_restored", (
        "customers gave these points back: it does not know the redemption"
    )
    nothing_is_parked(system)


def agree(system, member) -> bool:
    return len(set(system.points(member))) == 1


def nothing_is_parked(system):
    assert {package: parked(system, package) for package in PACKAGES} == dict.fromkeys(PACKAGES, 0)


def parked(system, package) -> int:
    return system.number(package, "select count(*) from parked_events where state = 'parked'")


def sale_day(system):
    with psycopg_database(system.urls["finance"]) as database, database.begin() as conn:
        return conn.execute(
            text("select day from outbox where type = 'finance.sale.posted.v1' limit 1")
        ).scalar_one()
