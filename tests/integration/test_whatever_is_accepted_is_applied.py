"""Whatever an API accepts, every subscriber applies: bodies at every declared bound, sent to real services.

Sales at the bounds are told to all; on them tickets, returns and lots taken off sale are built, again at the
bounds. What is accepted is published; nothing that was published may be parked anywhere, and each event is what
its schema says (the databases are judged when they are dropped).
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import orjson
import pytest
from sqlalchemy import text

from shared import parking, sequencer
from shared.app import new_app
from shared.clock import utc_now
from shared.consumer import apply_batch
from shared.events import Envelope
from shared.identity import LocalIssuer
from shared.service import load
from shared.settings import SERVICES, Settings
from tests.support.extremes import body_schema, variations
from tests.support.finance_builders import a_line, a_receipt, money

MASTER_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
BATCH = 100
NOW = utc_now()


class Chain:
    """Five services without servers between them: what one publishes is handed to the others."""

    def __init__(self, migrated_database, keys):
        self.issuer = LocalIssuer(keys)
        self.told = dict.fromkeys(SERVICES, 0)
        self.apps = {
            package: new_app(
                load(package),
                Settings(
                    database_url=migrated_database(package),
                    jwks=str(self.issuer.jwks),
                    master_key=MASTER_KEY,
                    database_pool_size=2,
                ),
            )
            for package in SERVICES
        }

    def database(self, package):
        return self.apps[package].extensions["database"]

    def document(self, package):
        return self.apps[package].extensions["openapi"]

    def post(self, package, path, body, role):
        headers = {
            "Authorization": f"Bearer {self.issuer.token('tester', [role])}",
            "Idempotency-Key": str(uuid4()),
        }
        return self.apps[package].test_client().post(path, json=body, headers=headers)

    def try_all(self, package, path, make, role, *, keep=()):
        """Post `make()` and each of its variations; the bodies that were accepted, and what was changed in them."""
        schema = body_schema(self.document(package), "post", path)
        accepted = [("nothing", make())]
        assert self.post(package, path, accepted[0][1], role).status_code == 201
        for change, body in variations(self.document(package), schema, make(), keep=frozenset(keep)):
            fresh = {**make(), **{name: value for name, value in body.items() if name not in keep}}
            answer = self.post(package, path, fresh, role)
            assert answer.status_code < 500, (change, answer.text)
            if answer.status_code < 300:
                accepted.append((change, fresh))
        return accepted

    def published(self, package):
        """What the service published since it was last asked."""
        with self.database(package).begin() as conn:
            while sequencer.number_events(conn):
                pass
            rows = conn.execute(
                text("select *, data::text as raw from outbox where seq > :after order by seq"),
                {"after": self.told[package]},
            ).mappings()
            events = [
                Envelope(
                    source=package,
                    seq=row["seq"],
                    event_id=row["event_id"],
                    type=row["type"],
                    subject=row["subject"],
                    version=row["version"],
                    day=row["day"],
                    amount_fen=row["amount_fen"],
                    occurred_at=row["occurred_at"],
                    data=orjson.loads(row["raw"]),
                )
                for row in rows
            ]
        self.told[package] += len(events)
        return events

    def tell(self, events):
        """Hand the events to everybody who listens; what their reactions publish too, until all is quiet."""
        while events:
            for package in SERVICES:
                service = load(package)
                heard = [each for each in events if each.source in service.sources]
                for start in range(0, len(heard), BATCH):
                    apply_batch(self.database(package), service, heard[start : start + BATCH])
            events = [each for package in SERVICES for each in self.published(package)]

    def parked(self):
        found = []
        for package in SERVICES:
            with self.database(package).begin() as conn:
                found += [
                    f"{package} parked {each['type']}: {each['reason_code']}: {each['reason']}"
                    for each in parking.list_parked(conn)
                ]
        return found


@pytest.fixture(scope="module")
def chain(migrated_database, tmp_path_factory):
    made = Chain(migrated_database, tmp_path_factory.mktemp("keys"))
    yield made
    for app in made.apps.values():
        app.extensions["database"].dispose()


def a_full_receipt():
    """A receipt with everything that a till may say, paid whatever it costs."""
    product = {
        "dosage_form": "capsule",
        "specification": "0.25 g",
        "mah": "M",
        "maker": "M",
        "approval_number": "H1",
    }
    sold_at = (NOW - timedelta(hours=1)).astimezone(UTC).isoformat()
    line = a_line(product=product, expiry=str((NOW + timedelta(days=400)).date()))
    return a_receipt(f"R-{uuid4().hex[:12]}", sold_at=sold_at, lines=[line])


def balanced(receipt):
    """The same receipt, its tender what its lines cost."""
    total = sum(
        line["quantity"] * line["unit_price"]["fen"] - line.get("discount", money(0))["fen"]
        for line in receipt["lines"]
    )
    receipt["tenders"] = [{"tender": "wechat", "amount": money(total)}] if total > 0 else []
    return receipt


def test_whatever_is_accepted_is_applied_by_everybody(chain):
    sales = sell_at_the_bounds(chain)
    chain.tell(chain.published("finance"))
    kinds = Counter()
    chain.try_all(
        "customers",
        "/v1/patients",
        lambda: {"branch_id": "S001", "name": "王", "source_channel": "walk_in"},
        "cs_agent",
    )
    chain.try_all(
        "service_desk",
        "/v1/tickets",
        lambda: {
            "kind": "complaint",
            "channel": "phone",
            "branch_id": "S001",
            "subject": "the box was open",
            "received_at": datetime.now(UTC).isoformat(),
        },
        "cs_agent",
        keep=("received_at",),
    )
    for sale in sales:
        answer = chain.post("returns", "/v1/returns", a_return_of(sale), "invoicing_clerk")
        assert answer.status_code < 500, answer.text
        kinds[answer.status_code] += 1
        line = sale["lines"][0]
        stopped = {
            "product_id": line["product_id"],
            "lots": [line["lot"]],
            "reason": "discoloured\nin the box",
        }
        answer = chain.post("returns", "/v1/stop-sales", stopped, "qa")
        assert answer.status_code == 201, answer.text
    assert kinds[201] > 20
    chain.tell([each for package in SERVICES for each in chain.published(package)])
    assert chain.parked() == []


def sell_at_the_bounds(chain):
    """The data of every sale that was posted; among them the longest and the oddest lots."""
    schema = body_schema(chain.document("finance"), "post", "/v1/sales")
    accepted = Counter()
    for change, body in variations(chain.document("finance"), schema, a_full_receipt()):
        receipt = balanced(body)
        if "receipt_number" not in change:
            receipt["receipt_number"] = f"R-{uuid4().hex[:12]}"
        if change.startswith("lines.0.expiry"):
            receipt["lines"][0]["lot"] = f"L-{uuid4().hex[:12]}"  # one lot has one expiry
        answer = chain.post("finance", "/v1/sales", receipt, "till")
        assert answer.status_code < 500, (change, answer.text)
        if answer.status_code == 201:
            accepted[change.partition(" = ")[0]] += 1
    assert accepted["lines.0.lot"] >= 8
    assert accepted["lines.0.product.product_id"] == 2
    assert accepted["branch_id"] == 2
    with chain.database("finance").begin() as conn:
        return [orjson.loads(row.raw) for row in conn.execute(text("select data::text as raw from outbox"))]


def a_return_of(sale):
    line = sale["lines"][0]
    return {
        "branch_id": sale["branch_id"],
        "kind": "retail",
        "sale_id": sale["sale_id"],
        "reason": "transport_damage",
        "reason_text": "broken\r\non the way",
        "package": {"unopened": True, "intact": True},
        "lines": [{"sale_line_id": line["line_id"], "lot": line["lot"], "quantity": 1}],
    }
