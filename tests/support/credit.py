"""Credit in tests: one customer with a limit, transactions of their own, and many at once."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

from finance.credit import commands
from finance.credit.rules import Override
from shared.clock import utc_now
from shared.errors import DomainError
from shared.identity import Actor
from shared.transaction import Tx

SELLER = Actor("the-salesperson", frozenset({"salesperson"}), frozenset({"*"}))


def a_customer(office, limit_fen=100_000, **odd):
    """A hospital that may buy, with this limit and no debts."""
    customer_id = str(uuid4())
    told = [office.permit(customer_id), office.grant(customer_id, limit_fen, **odd)]
    assert office.hear(*told).parked == 0
    return customer_id


def in_tx(office, work, *, now=None, actor=SELLER):
    """`work(tx)` in a transaction of its own: None when it committed, the refusal's code when it did not."""
    try:
        with office.database.begin() as conn:
            work(Tx(conn=conn, actor=actor, now=now or utc_now()))
    except DomainError as refusal:
        return refusal.code
    return None


def reserve(office, customer_id, order_id, fen, *, override_until=None, override_fen=None, now=None):
    override = None
    if override_until is not None:
        override = Override(
            approval_id=uuid4(), fen=fen if override_fen is None else override_fen, expires_at=override_until
        )

    def work(tx):
        commands.reserve(tx, customer_id=UUID(customer_id), order_id=order_id, fen=fen, override=override)

    return in_tx(office, work, now=now)


def at_once(*jobs):
    """Run all of them in threads of their own; their results in order."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(job) for job in jobs]]


def exposure_of(office, customer_id, role="salesperson", **identity):
    answer = office.get(f"/v1/credit-exposures/{customer_id}", role=role, **identity)
    assert answer.status_code == 200, answer.json
    return {name: value["fen"] if isinstance(value, dict) else value for name, value in answer.json.items()}
