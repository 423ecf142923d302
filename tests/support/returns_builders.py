"""What tests of Returns are made of: posted sales, and a counter where people with posts ask for things."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from returns.app import SERVICE
from returns.inspection.rules import CHECKS
from shared.app import new_app
from shared.clock import business_date, utc_now
from shared.consumer import apply_batch
from shared.events import Envelope
from shared.identity import LocalIssuer
from shared.settings import Settings

BUYER = "0199b1c0-0000-7000-8000-0000000000c1"
PATIENT = "0199b1c0-0000-7000-8000-0000000000c2"
PEOPLE = {
    "invoicing_clerk": "li",
    "business_head": "wang",
    "qa": "zhao",
    "storekeeper": "chen",
    "receiver": "sun",
    "inspector": "zhou",
}
PASSED = dict.fromkeys(CHECKS, "pass")


def a_sold_line(**odd):
    return {
        "line_id": str(uuid4()),
        "product_id": "P-1",
        "category": "otc",
        "temp_class": "normal",
        "lot": "L1",
        "expiry": (business_date(utc_now()) + timedelta(days=400)).isoformat(),
        "quantity": 10,
        "net_fen": 1000,
        "tax_fen": 130,
        "cost_fen": 700,
        **odd,
    }


def a_sale(seq, lines=None, *, sold_at=None, **odd):
    """The envelope of one finance.sale.posted.v1."""
    sold_at = sold_at or utc_now() - timedelta(days=1)
    lines = lines or [a_sold_line()]
    sale_id = odd.pop("sale_id", str(uuid4()))
    data = {
        "sale_id": sale_id,
        "receipt_number": f"R-{seq}",
        "branch_id": "S001",
        "customer_id": BUYER,
        "channel": "store",
        "business_date": business_date(sold_at).isoformat(),
        "sold_at": sold_at.isoformat(),
        "lines": lines,
        **odd,
    }
    return an_envelope(seq, "finance.sale.posted.v1", sale_id, data)


def a_paid_refund(seq, return_id, total_fen, refund_id="F-1", *, sale_id="S-1", kind="return"):
    data = {
        "refund_id": refund_id,
        "kind": kind,
        "return_id": str(return_id),
        "sale_id": sale_id,
        "total_fen": total_fen,
    }
    return an_envelope(seq, "finance.refund.paid.v1", refund_id, data)


def a_customer(seq, customer_id, kind):
    """The envelope of one customers.customer.registered.v1."""
    data = {"customer_id": customer_id, "kind": kind, "branch_id": "S001", "state": "active"}
    return an_envelope(seq, "customers.customer.registered.v1", customer_id, data, source="customers")


def an_envelope(seq, event_type, subject, data, source="finance"):
    return Envelope(
        source=source,
        seq=seq,
        event_id=uuid4(),
        type=event_type,
        subject=subject,
        version=1,
        day=date(2026, 3, 2),
        amount_fen=0,
        occurred_at=datetime(2026, 3, 2, tzinfo=UTC),
        data=data,
    )


class Counter:
    """The web process of Returns over one database, and finance's events delivered to the same."""

    def __init__(self, url, keys, *, connections=10):
        self.issuer = LocalIssuer(keys)
        self.app = new_app(
            SERVICE, Settings(database_url=url, database_pool_size=connections, jwks=str(self.issuer.jwks))
        )
        self.database = self.app.extensions["database"]
        self.client = self.app.test_client()
        self._seq = 0
        self.deliver(a_customer(1, BUYER, "wholesaler"), a_customer(2, PATIENT, "patient"))

    def close(self):
        self.database.dispose()

    def sell(self, lines=None, **odd):
        """Deliver one sale and return its data."""
        self._seq += 1
        envelope = a_sale(self._seq, lines, **odd)
        self.deliver(envelope)
        return envelope.data

    def pay(self, notice, refund_id="F-1", **odd):
        self._seq += 1
        self.deliver(
            a_paid_refund(self._seq, notice["return_id"], odd.get("fen", notice["refund"]["fen"]), refund_id)
        )

    def deliver(self, *envelopes):
        return apply_batch(self.database, SERVICE, envelopes)

    def post(self, path, body=None, *, role, person=None, branches=("S001",), key=None):
        token = self.issuer.token(person or PEOPLE.get(role, role), [role], list(branches))
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key or str(uuid4())}
        return self.app.test_client().post(f"/v1/returns{path}", json=body, headers=headers)

    def get(self, path="", **asked):
        return self.ask(f"returns{path}", **asked)

    def ask(self, path, *, role="qa", branches=("S001",), **query):
        token = self.issuer.token("reader", [role], list(branches))
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.get(f"/v1/{path}", query_string=query, headers=headers)

    def request(self, sale, quantities=(1,), **odd):
        """Ask to return these quantities of the sale's lines, in their order."""
        person = odd.pop("person", None)
        body = {
            "branch_id": sale["branch_id"],
            "kind": "b2b",
            "sale_id": sale["sale_id"],
            "reason": "slow_moving",
            "package": {"unopened": True, "intact": True},
            "proof_refs": ["photo-1"],
            "lines": [
                {"sale_line_id": line["line_id"], "lot": line["lot"], "quantity": quantity}
                for line, quantity in zip(sale["lines"], quantities, strict=False)
            ],
            **odd,
        }
        return self.post("", body, role="invoicing_clerk", person=person)

    def approved(self, sale, quantities=(1,), **odd):
        notice = self.request(sale, quantities, **odd).json
        for role in ("business_head", "qa"):
            answer = self.post(f"/{notice['return_id']}/decisions", {"decision": "approved"}, role=role)
            assert answer.status_code == 200, answer.json
        return answer.json

    def picked_up(self, sale, quantities=(1,), **odd):
        notice = self.approved(sale, quantities, **odd)
        if notice["state"] == "approved":
            return notice
        return self.post(f"/{notice['return_id']}/pick-up", role="storekeeper").json

    def receive(self, notice, *, quantities=None, lots=None, evidence=None, person=None):
        lines = [
            {
                "return_line_id": line["return_line_id"],
                "lot": (lots or {}).get(i, line["lot"]),
                "quantity": (quantities or {}).get(i, line["quantity"]),
                "cold_chain": (evidence or {}).get(i),
            }
            for i, line in enumerate(notice["lines"])
        ]
        body = {"record": {"quarantine_location": "RQ-1"}, "lines": lines}
        return self.post(f"/{notice['return_id']}/receive", body, role="receiver", person=person)

    def inspect(self, notice, *, accepted=None, checks=None, person=None, only=None, **odd):
        lines = [
            {
                "return_line_id": line["return_line_id"],
                "cases": 1,
                "is_intact": True,
                "has_anomaly": False,
                "cases_sampled": 1,
                "checks": {**PASSED, **(checks or {})},
                "accepted_quantity": (accepted or {}).get(i, line["received_quantity"]),
                **odd,
            }
            for i, line in enumerate(notice["lines"])
            if line["state"] in {"received", "held"} and (only is None or i in only)
        ]
        return self.post(f"/{notice['return_id']}/inspect", {"lines": lines}, role="inspector", person=person)

    def dispose(self, notice, *dispositions, person=None):
        lines = [
            {"return_line_id": line["return_line_id"], "disposition": disposition}
            for line, disposition in zip(
                [line for line in notice["lines"] if line["accepted_quantity"]], dispositions, strict=True
            )
        ]
        return self.post(f"/{notice['return_id']}/dispose", {"lines": lines}, role="qa", person=person)

    def settle(self, notice):
        return self.post(f"/{notice['return_id']}/settle", role="invoicing_clerk")

    def settled(self, sale, quantities=(1,), **odd):
        """Everything from request to settlement, all goods accepted and destroyed."""
        notice = self.receive(self.picked_up(sale, quantities, **odd)).json
        notice = self.inspect(notice).json
        notice = self.dispose(notice, *["destroy"] * len(notice["lines"])).json
        return self.settle(notice).json
