"""What a batch costs: as many statements for fifty events of a type as for one, whatever a service makes of them.

Statements are counted on the wire, as libpq sends them, so that no way of sending them is missed.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.pq import Trace
from sqlalchemy import Connection, Table, insert

from customers.loyalty.tables import point_redemption_lots, point_redemptions
from customers.offers.tables import offers
from deploy.generate.payloads import every_declared
from finance.budgets.tables import budgets
from finance.promotion_plans.tables import plans
from finance.promotions.tables import drawings
from returns.notices.tables import return_notices
from shared import parking
from shared.clock import business_date, new_id, utc_now
from shared.consumer import apply_batch
from shared.database import Database
from shared.events import Envelope
from shared.service import load
from shared.settings import SERVICES
from tests.support.arbitrary_events import arbitrary_event
from tests.support.finance_builders import Office

MANY = 50
SENT = re.compile(r"^F\t\d+\t(Query|Execute)\b", re.MULTILINE)
SUBSCRIBERS = [package for package in SERVICES if load(package).sources]
NOW = utc_now()
TODAY = business_date(NOW)

Told = Sequence[Envelope]


def with_data(told: Told, *changes: dict[str, Any]) -> list[Envelope]:
    return [replace(each, data={**each.data, **change}) for each, change in zip(told, changes, strict=True)]


def put(conn: Connection, table: Table, *rows: dict[str, Any]) -> None:
    conn.execute(insert(table), list(rows))


# --- what must be there before a fact can be told -------------------------------------------------------


def _offers(conn: Connection, told: Told) -> Told:
    """Offers of customers that wait for finance's answer."""
    put(
        conn,
        offers,
        *(
            {
                "offer_id": UUID(each.data["offer_id"]),
                "plan_id": new_id(),
                "branch_id": "S001",
                "title": "会员日",
                "benefit": "gift",
                "terms": "-",
                "first_day": TODAY,
                "last_day": TODAY,
                "cost_fen": 100,
                "state": "asking",
                "version": 1,
                "proposed_by": "ann",
                "proposed_at": NOW,
                "subject_hash": "-",
            }
            for each in told
        ),
    )
    return told


def _redemptions(conn: Connection, count: int, **state: Any) -> list[UUID]:
    """Points that members set aside, of two sales each."""
    made = [new_id() for _ in range(count)]
    put(
        conn,
        point_redemptions,
        *(
            {
                "redemption_id": each,
                "customer_id": str(uuid4()),
                "branch_id": "S001",
                "receipt_number": str(each),
                "points": 20,
                "value_fen": 20,
                "state": "open",
                "redeemed_on": TODAY,
                "redeemed_at": NOW,
                "redeemed_by": "till",
                "restore_at": NOW,
                **state,
            }
            for each in made
        ),
    )
    lots = [
        {"redemption_id": each, "no": no, "sale_id": str(uuid4()), "points": 10}
        for each in made
        for no in (1, 2)
    ]
    put(conn, point_redemption_lots, *lots)
    return made


def _paid_with_points(conn: Connection, told: Told) -> Told:
    """Receipts of redemptions that were given back before finance said that a sale had used them."""
    used = _redemptions(conn, len(told), state="restored", restored_on=TODAY, restored_at=NOW)
    return with_data(
        told,
        *(
            {"tenders": [*each.data["tenders"], {"tender": "points", "fen": 20, "redemption_id": str(by)}]}
            for each, by in zip(told, used, strict=True)
        ),
    )


def _refunded_in_points(conn: Connection, told: Told) -> Told:
    used = _redemptions(conn, len(told))
    return with_data(
        told,
        *(
            {"tenders": [{"tender": "points", "fen": 5, "points": 5, "redemption_id": str(by)}]}
            for by in used
        ),
    )


def _settled_notices(conn: Connection, told: Told) -> Told:
    """Returns that wait for finance's payment."""
    put(
        conn,
        return_notices,
        *(
            {
                "id": UUID(each.data["return_id"]),
                "number": f"TH-{each.data['return_id']}",
                "kind": "retail",
                "branch_id": "S001",
                "sale_id": "s",
                "reason": "quality",
                "request": {},
                "subject_hash": "-",
                "status": "settled",
                "version": 7,
                "requested_by": "ann",
                "requested_at": NOW,
                "refund_fen": each.data["total_fen"],
            }
            for each in told
        ),
    )
    return told


def _plan(conn: Connection) -> UUID:
    """An approved plan of S001 with a budget for all."""
    plan_id, budget_id = new_id(), new_id()
    days = {"first_day": TODAY, "last_day": TODAY + timedelta(days=9)}
    put(
        conn,
        budgets,
        {
            **days,
            "budget_id": budget_id,
            "branch_id": "S001",
            "department": "",
            "category": "",
            "campaign": str(plan_id),
            "amount_fen": 10_000,
            "reserved_fen": 5_000,
            "overrun": "stop",
            "made_by": "fred",
            "made_at": NOW,
        },
    )
    put(
        conn,
        plans,
        {
            **days,
            "plan_id": plan_id,
            "code": str(plan_id),
            "branch_id": "S001",
            "products": [],
            "baseline_net_fen": 0,
            "baseline_margin_fen": 0,
            "uplift_bp": 0,
            "budget_fen": 10_000,
            "state": "approved",
            "subject_hash": "-",
            "budget_id": budget_id,
            "prepared_by": "fred",
            "prepared_at": NOW,
        },
    )
    return plan_id


def _offers_of_a_plan(conn: Connection, told: Told) -> Told:
    fit = {
        "plan_id": str(_plan(conn)),
        "branch_id": "S001",
        "first_day": str(TODAY),
        "last_day": str(TODAY),
        "cost_fen": 100,
    }
    return with_data(told, *[fit] * len(told))


def _drawn_offers(conn: Connection, told: Told) -> Told:
    plan_id = _plan(conn)
    put(
        conn,
        drawings,
        *(
            {
                "drawing_id": UUID(each.data["drawing_id"]),
                "plan_id": plan_id,
                "offer_id": each.data["offer_id"],
                "amount_fen": 100,
                "drawn_by": "system",
                "drawn_at": NOW,
            }
            for each in told
        ),
    )
    return with_data(told, *[{"plan_id": str(plan_id), "used_fen": 60}] * len(told))


def _returned_goods(office: Office, told: Told) -> Told:
    """Goods of sales that finance posted, of which nothing is owed: booked, done and told at once."""
    settled = [office.settled(office.sell(), [(0, 1, "destroy", 0, 0, 60)]).data for _ in told]
    return with_data(told, *settled)


NEEDS: dict[tuple[str, str], Callable[[Connection, Told], Told]] = {
    ("customers", "finance.drawing.granted.v1"): _offers,
    ("customers", "finance.drawing.refused.v1"): _offers,
    ("customers", "finance.sale.posted.v1"): _paid_with_points,
    ("customers", "finance.refund.paid.v1"): _refunded_in_points,
    ("returns", "finance.refund.paid.v1"): _settled_notices,
    ("finance", "customers.offer.proposed.v1"): _offers_of_a_plan,
    ("finance", "customers.offer.ended.v1"): _drawn_offers,
}


# --- the rule -------------------------------------------------------------------------------------------


class Counted:
    """A service's real consumer over one connection, whose statements are counted."""

    def __init__(self, package: str, url: str, folder: Path) -> None:
        self.package, self.service = package, load(package)
        self.office = Office(url, folder) if package == "finance" else None
        self.database = Database(url, pool_size=1)
        self._trace = folder / "trace"
        self._file = self._trace.open("wb")
        self._seqs = dict.fromkeys(self.service.sources, 0)
        self._rng = random.Random(1)

    def close(self) -> None:
        self.database.dispose()
        self._file.close()
        if self.office is not None:
            self.office.close()

    def told(self, kind: str, count: int, *, unprepared: bool = False) -> Told:
        """Events of a type as its schema admits them, with what must be there before them, unless `unprepared`."""
        made = []
        for _ in range(count):
            source = kind.partition(".")[0]
            self._seqs[source] += 1
            event = arbitrary_event(kind, "most", self._rng, seq=self._seqs[source])
            if kind == "finance.refund.paid.v1":
                event.data["kind"] = "return"  # of a void returns holds nothing that could be missing
            made.append(replace(event, day=date(2026, 3, 5)))
        if unprepared:
            return made
        if self.office is not None and kind == "returns.return.settled.v1":
            return _returned_goods(self.office, made)
        prepare = NEEDS.get((self.package, kind))
        if prepare is None:
            return made
        with self.database.begin() as conn:
            return prepare(conn, made)

    def statements(self, told: Told) -> int:
        """How many statements applying them takes; none of them is parked."""
        with self.database.begin() as conn:
            driver: Any = conn.connection.driver_connection
        begun = self._trace.stat().st_size
        driver.pgconn.trace(self._file.fileno())
        driver.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        result = apply_batch(self.database, self.service, told)
        driver.pgconn.untrace()
        with self.database.begin() as conn:
            parked = [(each["type"], each["reason"]) for each in parking.list_parked(conn)]
        assert (parked, result.fresh) == ([], len(told))
        return len(SENT.findall(self._trace.read_bytes()[begun:].decode()))


@pytest.mark.parametrize("package", SUBSCRIBERS)
def test_a_batch_takes_as_many_statements_for_fifty_events_of_a_type_as_for_one(
    package, migrated_database, tmp_path
):
    counted = Counted(package, migrated_database(package), tmp_path)
    grown = {}
    try:
        for kind in (each for each in every_declared() if each.partition(".")[0] in counted.service.sources):
            counted.statements(counted.told(kind, 1))  # makes the month, and whatever is made once
            one = counted.statements(counted.told(kind, 1))
            many = counted.statements(counted.told(kind, MANY))
            assert one >= 2, "the statements are counted"
            if many > one:
                grown[kind] = (one, many)
    finally:
        counted.close()
    assert grown == {}


POISONED = {
    ("customers", "finance.drawing.granted.v1"): "offer_not_found",
    ("finance", "customers.offer.ended.v1"): "promotion_plan_not_found",
    ("finance", "returns.return.settled.v1"): "sale_not_found",
    ("returns", "finance.refund.paid.v1"): "return_not_found",
}
"""(subscriber, type): why an event about what is not there is refused."""


@pytest.mark.parametrize(("package", "kind"), POISONED)
def test_one_refused_event_of_a_batch_is_parked_with_its_reason_and_the_rest_is_applied(
    package, kind, migrated_database, tmp_path
):
    counted = Counted(package, migrated_database(package), tmp_path)
    try:
        good = counted.told(kind, 4)
        [bad] = counted.told(kind, 1, unprepared=True)
        result = apply_batch(counted.database, counted.service, [*good[:2], bad, *good[2:]])
        with counted.database.begin() as conn:
            parked = [(each["event_id"], each["reason_code"]) for each in parking.list_parked(conn)]
        again = apply_batch(counted.database, counted.service, good)
    finally:
        counted.close()
    assert (result.fresh, result.parked, again.duplicates) == (4, 1, 4)
    assert parked == [(str(bad.event_id), POISONED[package, kind])]
