"""Whatever any writing route of any service accepts, every subscriber applies: all routes, bodies at every bound, real databases.

Five worlds (tests.support.worlds) that have heard each other's history. Each writing route is brought to where it
accepts (tests.support.readied) and is then sent its body with each value at each bound of the document, and with
several at once as hypothesis draws them. What it accepts is published; each event must be what the published schema
says, in the words of a validator that is not ours, and whoever subscribes applies it, and all that follows from it,
or refuses it by a rule with a name. Every attempt is undone, so that each begins from the same state.
"""

import os
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from deploy.generate.examples import area_of
from deploy.generate.payloads import declared
from shared import parking, round_trip, sequencer
from shared.consumer import apply_batch
from shared.documentation import ARGUMENT
from shared.events import Envelope
from shared.service import load
from shared.settings import SERVICES
from tests.support.examples import (
    address_of,
    fitted,
    keep,
    known_parameters,
    operation_at,
    recorded,
    shown_in,
    worded,
)
from tests.support.extremes import body_schema, mixtures, variations
from tests.support.published import faults_of
from tests.support.readied import FURTHER, READY, Readied, steps
from tests.support.undone import Undone, without_commit
from tests.support.worlds import WORLDS, WRITING, World

MIXED_MAX = int(os.environ.get("APOTHECA_TEST_EXAMPLES", "3"))
"""Bodies per route with several values changed at once; raise it for a longer hunt, with every text in every script."""
THINNED = "APOTHECA_TEST_EXAMPLES" not in os.environ
RECORDING = "APOTHECA_RECORD_EXAMPLES" in os.environ
"""Whether examples are recorded anew from what the worlds send, instead of sent."""
BATCH = 200
NOT_OF_A_ROUTE_HERE = {
    "customers.points.corrected.v1",  # tests/integration/customers/test_lost_events.py
    "customers.points.taken_again.v1",  # tests/integration/customers/test_points.py
    "customers.points.taken_back.v1",
    "finance.drawing.granted.v1",  # tests/integration/finance/test_budgets_bind.py
    "finance.refund.withdrawn.v1",  # tests/integration/finance/test_refunds_lost.py
    # of the scheduler
    "customers.licence.expired.v1",
    "customers.points.expired.v1",
    "finance.contract.expired.v1",
    "finance.sub_ledgers.proved.v1",  # tests/integration/finance/test_closing.py
    "returns.return.pickup_breached.v1",
    "service_desk.ticket.clock_breached.v1",
}
"""What no route publishes, nor any reaction to it in these worlds: test_every_event_is_applied sends each to its readers."""
OF_OTHERS = {
    ("returns", "finance.refund.paid.v1", "return_not_found"),  # finance's world was told of a return by hand
    (
        "finance",
        "customers.offer.ended.v1",
        "promotion_plan_not_found",
    ),  # customers' world names a plan of its own
}
"""What one world made up and another refuses: (subscriber, type, code). All else that a world tells, all others know."""
SHOWN = {"/v1/returns": steps(("/returns/{return_id}/cancel", "invoicing_clerk", {"reason": "r"}))}
"""Where a route shows its common outcome: a return of goods that no other return names."""
ORGANISED = ("branches", "departments", "posts", "staff-members", "appointments", "training-records")
ROWS_SENT_AS = {
    "/v1/sales/bulk": "/v1/sales",
    "/v1/customers/bulk": "/v1/patients",
    "/v1/products/bulk": "/v1/products",
    **{f"/v1/{each}/bulk": f"/v1/{each}" for each in ORGANISED},
}
"""An upload's rows are what this other route is sent."""
JSON_LINES = "application/x-ndjson"


class Worlds:
    """The five, and what they tell each other."""

    def __init__(self, migrated_database, folders):
        self._seq = 10**6  # beyond what the worlds were told by hand
        self.of = {}
        for package, fill in WORLDS.items():
            self.of[package] = world = World(package, migrated_database(package), folders.mktemp("keys"))
            if package == "returns":
                world.sold = self._sold_to_an_institution()
            fill(world)
            extensions = world.app.extensions
            extensions["database"] = Undone(extensions["database"])
            # What a world heard is in no producer's log: it asks nobody before it closes a month.
            extensions["service"] = replace(world.service, sources=())
        self.types, self.first_types = Counter(), Counter()
        """How many events of each type were told since the test began, and when the worlds were made."""

    def _sold_to_an_institution(self):
        return next(
            each
            for each in self.published("finance", 0)
            if each.type == "finance.sale.posted.v1" and each.data["customer_id"]
        )

    def close(self):
        for world in self.of.values():
            world.app.extensions["wakeup"].close()
            world.app.extensions["database"].dispose()

    def database(self, package):
        return self.of[package].app.extensions["database"]

    def published(self, package, after):
        """Events of the service's log behind the number `after`, and its last number."""
        with self.database(package).begin() as conn:
            while sequencer.number_events(conn):
                pass
            rows = conn.execute(
                text("select *, data::text as raw from outbox where seq > :after order by seq"),
                {"after": after},
            ).mappings()
            return [self._envelope(package, row) for row in rows]

    def _envelope(self, package, row):
        self._seq += 1
        return Envelope(
            source=package,
            seq=self._seq,
            event_id=row["event_id"],
            type=row["type"],
            subject=row["subject"],
            version=row["version"],
            day=row["day"],
            amount_fen=row["amount_fen"],
            occurred_at=row["occurred_at"],
            data=orjson.loads(row["raw"]),
        )

    def heads(self):
        return {package: self._head(package) for package in SERVICES}

    def _head(self, package):
        with self.database(package).begin() as conn:
            while sequencer.number_events(conn):
                pass
            return conn.execute(text("select coalesce(max(seq), 0) from outbox")).scalar_one()

    def tell(self, events, heads):
        """Hand the events to everybody who listens, and what their reactions publish, until all is quiet."""
        heads = dict(heads)
        while events:
            self.types.update(each.type for each in events)
            for package in SERVICES:
                service = load(package)
                heard = [each for each in events if each.source in service.sources]
                for start in range(0, len(heard), BATCH):
                    apply_batch(self.database(package), service, heard[start : start + BATCH])
            events = []
            for package in SERVICES:
                more = self.published(package, heads[package])
                heads[package] += len(more)
                events += more

    def undone(self, stack):
        for package in SERVICES:
            stack.enter_context(self.database(package).undone())

    def parked(self):
        """(subscriber, type, code, reason) of what was parked and is not refused for what it means."""
        found = []
        for package in SERVICES:
            with self.database(package).begin() as conn:
                found += [
                    f"{package} parked {each['type']}: {each['reason_code']}: {each['reason'][:500]}"
                    for each in parking.list_parked(conn)
                    if (package, each["type"], each["reason_code"]) not in OF_OTHERS
                ]
        return found


@pytest.fixture(scope="module")
def worlds(migrated_database, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(round_trip, "run", without_commit)
        made = Worlds(migrated_database, tmp_path_factory)
        nothing = dict.fromkeys(SERVICES, 0)
        made.tell(
            [each for package in SERVICES for each in made.published(package, 0)], made.heads() or nothing
        )
        assert made.parked() == []
        made.first_types = Counter(made.types)
        yield made
        made.close()


class Route:
    """One writing route, where it accepts: `send(body)` and who may."""

    def __init__(self, worlds, world, ready, method, rule, path, view):
        self.worlds, self.world, self.method, self.rule, self.view = worlds, world, method, rule, view
        ready = ready(world)
        given = world.ids | world.ids.get(rule, {})
        for name, value in ready.ids.items():
            path = path.replace(str(given[name]), str(value))
        self.path = path
        sent = world.sent[rule] if ready.body is None else ready.body
        self.body = orjson.loads(sent) if isinstance(sent, bytes) else sent
        self.who = [
            (role, person)
            for role in ([ready.role] if ready.role else sorted(view.admitted_roles))
            for person in ([ready.person] if ready.person else [f"the-{role}", "stranger"])
        ]
        self.heads = worlds.heads()

    @property
    def is_upload(self):
        return self.rule in ROWS_SENT_AS

    def schema(self):
        document = self.world.app.extensions["openapi"]
        address = ARGUMENT.sub(r"{\1}", ROWS_SENT_AS.get(self.rule, self.rule))
        operation = document["paths"][address][self.method.lower()]
        return body_schema(document, self.method.lower(), address) if "requestBody" in operation else None

    def send(self, body, role, person):
        how = {"data": orjson.dumps(body), "content_type": JSON_LINES} if self.is_upload else {"json": body}
        return self.world.call(self.method, self.path, role, person=person, **how)

    def accepted_from(self, body):
        """The first (role, person) from whom the body is accepted; None, and what everybody was answered."""
        answers = []
        for role, person in self.who:
            with self.worlds.database(self.world.service.name).undone():
                answer = self.send(body, role, person)
            if answer.status_code < 300:
                return (role, person), []
            answers.append(f"{role} {person}: {answer.status_code} {answer.text[:300]}")
        return None, answers

    def attempt(self, body, who):
        """What is wrong when this body is sent; None when it is refused, [] when it is accepted and applied."""
        package = self.world.service.name
        with ExitStack() as stack:
            self.worlds.undone(stack)
            answer = self.send(body, *who)
            if answer.status_code >= 500 and "Retry-After" not in answer.headers:
                return [f"{answer.status_code} {answer.text[:300]}"]
            if answer.status_code >= 300:
                return None
            events = self.worlds.published(package, self.heads[package])
            heads = self.heads | {package: self.heads[package] + len(events)}
            faults = [fault for each in events for fault in faults_of(each.type, each.data)]
            if not faults and events:
                self.worlds.tell(events, heads)
                faults = self.worlds.parked()
            return faults


def test_every_route_accepts_and_whatever_it_accepts_is_applied(worlds, package):
    world = worlds.of[package]
    document = world.app.extensions["openapi"]
    never, wrong, told = [], [], Counter()
    worlds.types.clear()
    for method, rule, path, view in world.routes(*WRITING):
        for ready in situations(package, rule):
            with worlds.database(package).undone():
                route = Route(worlds, world, ready, method, rule, path, view)
                who, answers = route.accepted_from(route.body)
                if who is None:
                    never.append((rule, answers))
                    continue
                for change, body in bodies_of(route, document):
                    faults = route.attempt(body, who)
                    told[rule] += faults is not None
                    wrong += [f"{method} {rule} with {change}: {fault}" for fault in faults or ()]
    assert never == []
    assert wrong == [], "\n".join(wrong[:50])
    assert all(told.values()), told
    expected = set(declared(package)) - NOT_OF_A_ROUTE_HERE
    told_types = set(worlds.types | worlds.first_types)
    assert expected <= told_types, sorted(expected - told_types)


def situations(package, rule):
    """The one in which a route accepts, and that of the second person where two decide."""
    yield READY[package].get(rule, lambda _: Readied())
    if rule in FURTHER[package]:
        yield FURTHER[package][rule]


def bodies_of(route, document):
    schema = route.schema()
    yield "nothing", route.body
    if schema is not None:
        yield from variations(document, schema, route.body, thinned=THINNED)
        yield from (("mixed", each) for each in drawn(document, schema, route.body))


def drawn(document, schema, body):
    """Bodies with several of their values changed at once."""
    found = []

    @settings(
        max_examples=MIXED_MAX,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def draw(data):
        found.append(data.draw(mixtures(document, schema, body)))

    draw()
    return found


def test_every_example_of_a_document_is_accepted(worlds, package):
    """What it answers is as documented: every client of a test asserts that (tests.support.judged)."""
    world = worlds.of[package]
    refused, kept = [], defaultdict(dict)
    for method, rule, path, view in world.routes("GET", *WRITING):
        operation = operation_at(world.app, method, rule)
        if operation is None:
            continue  # a page
        with worlds.database(package).undone():
            if method == "GET":
                asked = Asked(world, method, rule, path, view)
            else:
                asked = Route(
                    worlds,
                    world,
                    SHOWN.get(rule) or READY[package].get(rule, lambda _: Readied()),
                    method,
                    rule,
                    path,
                    view,
                )
            shown = shown_in(operation)
            if RECORDING:
                shown = {"parameters": known_parameters(asked), "body": worded(asked.body)}
            answer = send_shown(worlds.database(package), asked, shown)
        name = operation["operationId"]
        if answer.status_code >= 300:
            refused.append((name, answer.status_code, answer.text[:300]))
        elif RECORDING:
            body = shown["body"] if "requestBody" in operation else None
            kept[area_of(view)][name] = recorded(shown["parameters"], body, answer, is_upload=asked.is_upload)
    assert refused == []
    keep(kept)


class Asked:
    """One reading route, with the fullest question that its world knows."""

    body, is_upload = None, False

    def __init__(self, world, method, rule, path, view):
        self.world, self.method, self.rule = world, method, rule
        query = max(world.asked.get(rule, [{}]), key=len)
        self.path = f"{path}?{urlencode(query)}" if query else path
        self.who = [(role, f"the-{role}") for role in sorted(view.admitted_roles)]

    def send(self, body, role, person):
        return self.world.call(self.method, self.path, role, person=person)


def send_shown(database, asked, shown):
    """The first answer that is no refusal, of all who may ask; else the last."""
    asked.path = address_of(asked, shown["parameters"])
    body = fitted(shown.get("body"), asked.body)
    for role, person in asked.who:
        with database.undone():
            answer = asked.send(body, role, person)
        if answer.status_code < 300:
            break
    return answer


@pytest.fixture(params=sorted(WORLDS))
def package(request):
    return request.param
