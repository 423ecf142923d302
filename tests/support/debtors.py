"""Credit customers of a back office: what they buy, owe and pay; and the jobs of receivables on any day."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from shared.clock import business_date, utc_now
from shared.identity import system_actor
from shared.transaction import Tx
from tests.support.finance_builders import a_line, money

TODAY = business_date(utc_now())
BRANCHES = ("S001", "S002")


def days_ago(number):
    return TODAY - timedelta(days=number)


def a_debtor(office, kind="hospital"):
    """A customer who may buy on credit."""
    customer_id = str(uuid4())
    assert office.hear(office.permit(customer_id, kind=kind)).parked == 0
    return customer_id


def sell_on_credit(office, customer_id, fen=10_000, *, on=None, branch="S001", cash=0, **odd):
    line = a_line(
        quantity=1, unit_price=money(fen + cash), discount=money(0), cost=money(fen // 2), expiry="2099-12-31"
    )
    tenders = [{"tender": "credit", "amount": money(fen)}]
    if cash:
        tenders.append({"tender": "cash", "amount": money(cash)})
    sold_at = utc_now() if on in (None, TODAY) else datetime(on.year, on.month, on.day, 4, tzinfo=UTC)
    return office.sell(
        customer_id=customer_id, branch_id=branch, sold_at=sold_at.isoformat(), lines=[line], tenders=tenders, **odd
    )  # fmt: skip


def items_of(office, customer_id, kind=None, **filters):
    query = "".join(f"&{name}={value}" for name, value in filters.items())
    found = office.get(f"/v1/receivable-items?customer_id={customer_id}&limit=200{query}").json["items"]
    return sorted((each for each in found if kind in (None, each["kind"])), key=lambda each: each["due_on"])


def pay(office, customer_id, fen, *, role="accountant", **odd):
    body = {
        "customer_id": customer_id,
        "branch_id": "S001",
        "tender": "bank",
        "reference": uuid4().hex,
        "received_on": str(TODAY),
        "amount": money(fen),
        **odd,
    }
    return office.post("/v1/payments", body, role=role)


def agrees(office, as_of=None):
    """The proof of every branch, and the buckets of the ageing, against the ledger."""
    for branch in (None, *BRANCHES):
        query = f"?as_of={as_of or TODAY}" + (f"&branch_id={branch}" if branch else "")
        proof = office.get(f"/v1/receivable-proofs{query}").json
        assert proof["agrees"], proof
        ageing = office.get(f"/v1/ageing-reports{query}").json
        assert sum(each["open"]["fen"] for each in ageing["buckets"]) == proof["ledger"]["fen"]
        assert ageing["total"] == proof["ledger"]
        assert sum(each["total"]["fen"] for each in ageing["customers"]) == proof["ledger"]["fen"]
    return True


def run(office, job, on=None):
    """Run a job until it has nothing to do, on a day."""
    now = utc_now() if on is None else datetime(on.year, on.month, on.day, 4, tzinfo=UTC)
    while True:
        with office.database.begin() as conn:
            if not job(Tx(conn=conn, actor=system_actor("finance"), now=now)):
                return


def told(office, event_type, customer_id):
    return [
        row[0]
        for row in office.rows(
            "select data from outbox where type = :type and data ->> 'customer_id' = :customer order by id",
            type=event_type,
            customer=customer_id,
        )
    ]
