"""What tests of Finance are made of: receipts, settled returns, and a back office where people with posts ask."""

import json
from dataclasses import replace
from datetime import date
from uuid import uuid4

from sqlalchemy.dialects.postgresql import insert

from finance.app import SERVICE
from finance.balances import store
from finance.credit.tables import credit_limits
from shared import chain
from shared.app import new_app
from shared.clock import utc_now
from shared.consumer import apply_batch
from shared.events import Envelope
from shared.identity import LocalIssuer
from shared.settings import Settings
from tests.support import quiet

CUSTOMER = "0199b1c0-0000-7000-8000-000000000001"


def money(fen):
    return {"fen": fen, "currency": "CNY"}


def a_line(**odd):
    """Two packs at 19.90, 0.80 off, 13 % inside: 39.00 gross, 34.51 net, 4.49 tax."""
    product = {"product_id": "P-1", "generic_name": "阿莫西林胶囊", "category": "otc", "temp_class": "normal"}
    return {
        "product": product | odd.pop("product", {}),
        "lot": "L1",
        "expiry": "2099-12-31",
        "quantity": 2,
        "unit_price": money(1990),
        "discount": money(80),
        "tax_bp": 1300,
        "cost": money(2300),
        **odd,
    }


def a_receipt(number=None, **odd):
    lines = odd.pop("lines", None) or [a_line()]
    total = sum(
        line["quantity"] * line["unit_price"]["fen"] - line.get("discount", money(0))["fen"] for line in lines
    )
    return {
        "receipt_number": number or f"R-{uuid4().hex[:12]}",
        "branch_id": "S001",
        "channel": "store",
        "sold_at": "2026-03-03T02:15:00Z",
        "lines": lines,
        "tenders": [{"tender": "wechat", "amount": money(total)}] if total else [],
        **odd,
    }


def ndjson(receipts):
    return "\n".join(each if isinstance(each, str) else json.dumps(each) for each in receipts).encode()


def refused(answer, status, code):
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    return answer.json


class Office:
    """The web process of finance in this process, with a token for every post."""

    def __init__(self, url, folder):
        self.issuer = LocalIssuer(folder)
        settings = Settings(
            database_url=url,
            jwks=str(self.issuer.jwks),
            feeds=dict(quiet.feeds),
            feed_token=next(iter(quiet.token), None),
        )
        self.app = new_app(SERVICE, settings)
        # What it hears is told by hand and in no producer's log: it asks nobody before it closes a month.
        self.app.extensions["service"] = replace(SERVICE, sources=())
        self.database = self.app.extensions["database"]
        self._seq = 0

    def close(self):
        self.app.extensions["wakeup"].close()
        self.database.dispose()

    def headers(self, role, *, branches=("*",), person=None):
        token = self.issuer.token(person or f"the-{role}", [role], branches)
        return {"Authorization": f"Bearer {token}"}

    def post(self, path, body=None, *, role="till", key=None, **identity):
        headers = self.headers(role, **identity) | {"Idempotency-Key": key or uuid4().hex}
        return self.app.test_client().post(path, json={} if body is None else body, headers=headers)

    def get(self, path, *, role="accountant", **identity):
        return self.app.test_client().get(path, headers=self.headers(role, **identity))

    def sell(self, **odd):
        return self.sell_as("the-till", **odd)

    def sell_as(self, person, **odd):
        answer = self.post("/v1/sales", a_receipt(**odd), person=person)
        assert answer.status_code == 201, answer.json
        return answer.json

    def upload(self, body, *, kind="application/x-ndjson", role="till", **identity):
        return self.app.test_client().post(
            "/v1/sales/bulk", data=body, content_type=kind, headers=self.headers(role, **identity)
        )

    def results(self, body, **kwargs):
        answer = self.upload(body, **kwargs)
        assert answer.status_code == 200, answer.data
        return [json.loads(line) for line in answer.data.splitlines()]

    def rows(self, sql, **values):
        from sqlalchemy import text

        with self.database.begin() as conn:
            return [tuple(row) for row in conn.execute(text(sql), values)]

    def value(self, sql, **values):
        return self.rows(sql, **values)[0][0]

    def hear(self, *told):
        """Consume envelopes as the consumer does."""
        return apply_batch(self.database, SERVICE, told)

    def envelope(self, event_type, data, *, version=1, seq=None, day=date(2026, 3, 5)):
        if seq is None:
            self._seq += 1
            seq = self._seq
        source = event_type.split(".")[0]
        return Envelope(
            source=source,
            seq=seq,
            event_id=uuid4(),
            type=event_type,
            subject="x",
            version=version,
            day=day,
            amount_fen=0,
            occurred_at=utc_now(),
            data=data,
        )

    def settled(self, sale, taken, *, return_id=None, settled_on="2026-03-10", **odd):
        """A settled return: `taken` are (index of the line, quantity, disposition, net, tax, cost)."""
        lots = odd.pop("lot", "L1")
        lines = [
            {
                "return_line_id": str(uuid4()),
                "sale_line_id": sale["lines"][index]["line_id"],
                "lot": lots,
                "quantity": quantity,
                "disposition": disposition,
                "net_fen": net,
                "tax_fen": tax,
                "cost_fen": cost,
            }
            for index, quantity, disposition, net, tax, cost in taken
        ]
        data = {
            "return_id": return_id or str(uuid4()),
            "number": "TH-1",
            "branch_id": "S001",
            "sale_id": sale["sale_id"],
            "customer_id": None,
            "reason": "quality",
            "settled_on": settled_on,
            "lines": lines,
            "refund_fen": sum(line["net_fen"] + line["tax_fen"] for line in lines),
            **odd,
        }
        return self.envelope("returns.return.settled.v1", data)

    def grant(self, customer_id=CUSTOMER, limit_fen=10**13, *, version=1, **odd):
        """What customers tell of a credit."""
        data = {
            "customer_id": customer_id,
            "limit_fen": limit_fen,
            "overdue_tolerance_fen": 10**13,
            "on_hold": False,
            "valid_until": None,
            "credit_version": version,
            **odd,
        }
        return self.envelope("customers.credit.changed.v1", data, version=version)

    def permit(self, customer_id=CUSTOMER, *, version=1, day=date(2010, 1, 1), **odd):
        """What customers tell of a permission on a day. Credit as ample as that of a test not about credit is there at once,
        older than all that `grant` tells.
        """
        with self.database.begin() as conn:
            conn.execute(
                insert(credit_limits)
                .values(
                    customer_id=customer_id,
                    version=0,
                    limit_fen=10**13,
                    overdue_tolerance_fen=10**13,
                    on_hold=False,
                )
                .on_conflict_do_nothing()
            )
        data = {
            "customer_id": customer_id,
            "kind": "hospital",
            "allowed": True,
            "categories": ["otc"],
            "reasons": [],
            "valid_until": None,
            "permission_version": version,
            **odd,
        }
        return self.envelope("customers.permission.changed.v1", data, version=version, day=day)

    def seal(self):

        with self.database.begin() as conn:
            while chain.seal(conn, store.CHAIN):
                pass

    def faults(self):

        with self.database.begin() as conn:
            return list(chain.verify(conn, store.CHAIN))

    def balances(self, month="2026-03", **args):
        """Closing balance per account: debit less credit."""
        asked = "&".join(f"{name}={value}" for name, value in args.items())
        answer = self.get(f"/v1/trial-balances/{month}?{asked}")
        assert answer.status_code == 200, answer.json
        assert answer.json["debit"] == answer.json["credit"]
        return {row["account"]: row["closing"]["fen"] for row in answer.json["rows"]}
