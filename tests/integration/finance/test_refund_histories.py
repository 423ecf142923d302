"""Refunds over any history: of before there were steps, and of any steps that people may take."""

from uuid import uuid4

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from finance.app import SERVICE
from shared import migrations
from shared.clock import business_date, utc_now
from tests.support import refunding
from tests.support.finance_builders import a_line, money

TODAY = str(business_date(utc_now()))
PAID_BEFORE = """
select ensure_month('2026-03-01');
insert into receipts values ('S001', 'R-1', '{sale}', '2026-03-03', ''::bytea);
insert into sales (sale_id, booked_on, business_date, receipt_number, branch_id, customer_id, channel, sold_at,
    net_fen, tax_fen, total_fen, cost_fen, posted_by, posted_at)
values ('{sale}', '2026-03-03', '2026-03-03', 'R-1', 'S001', '{customer}', 'store', now(), 100, 13, 113, 50, 't', now());
insert into refunds (refund_id, return_id, sale_id, branch_id, booked_on, total_fen, paid_at)
values ('{refund}', 'T-1', '{sale}', 'S001', '2026-03-10', 113, now());
insert into refund_tenders (refund_id, tender, fen) values ('{refund}', 'cash', 13), ('{refund}', 'wechat', 100);
"""

OWED = """
insert into refunds (refund_id, return_id, sale_id, branch_id, booked_on, settled_on, total_fen, state, version)
values ('{refund}', 'T-2', '{sale}', 'S001', '2026-03-10', '2026-03-10', 1, 'verified', 1)
"""


@pytest.mark.requirement("F22")
def test_refunds_of_before_there_were_steps_stay_paid_and_what_is_owed_is_not_forgotten(postgres):
    url = postgres.create_database()
    command.upgrade(migrations.config(SERVICE, url), "0010")
    ids = {name: str(uuid4()) for name in ("sale", "customer", "refund")}
    engine = create_engine(url)
    with engine.begin() as conn:
        conn.exec_driver_sql(PAID_BEFORE.format(**ids))
    migrations.upgrade(SERVICE, url)
    with engine.begin() as conn:
        [row] = conn.exec_driver_sql(
            "select state, version, settled_on::text, paid_on::text, customer_id::text from refunds"
        )
        paid = conn.exec_driver_sql(
            "select tender, means, fen, booked_on::text from refund_payments order by 1"
        )
        assert [tuple(each) for each in paid] == [
            ("cash", "cash", 13, "2026-03-10"),
            ("wechat", "wechat", 100, "2026-03-10"),
        ]
    assert tuple(row) == ("paid", 1, "2026-03-10", "2026-03-10", ids["customer"])
    with engine.begin() as conn:
        conn.exec_driver_sql(OWED.format(refund=uuid4(), sale=ids["sale"]))
    with pytest.raises(DBAPIError, match="refunds are owed"):
        migrations.downgrade(SERVICE, url)
    with engine.begin() as conn:
        conn.exec_driver_sql("update refunds set state = 'paid', paid_at = now() where return_id = 'T-2'")
    engine.dispose()
    migrations.downgrade(SERVICE, url)
    postgres.drop_database(url)


# --- any steps --------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["return", "approve", "approve_by_bank", "hold", "release", "pay_desk", "pay_cash", "pay_all", "fail"]
)


@pytest.fixture(scope="module", autouse=True)
def safe(office):
    body = {"branch_id": "S001", "kind": "bank_withdrawal", "amount": money(1_000_000)}
    assert office.post("/v1/safe-movements", body, role="cashier").status_code == 201


class Counter:
    """One sale of four packs in two tenders, and whatever people do about its returns; refusals are allowed."""

    def __init__(self, office):
        self.office, self.refunds = office, []
        tenders = [{"tender": "cash", "amount": money(1_700)}, {"tender": "wechat", "amount": money(6_260)}]
        line = a_line(quantity=4, discount=money(0), expiry="2099-12-31")
        self.sale = office.sell(sold_at=utc_now().isoformat(), lines=[line], tenders=tenders)

    def step(self, name, which):
        if name == "return":
            told = self.office.settled(self.sale, [(0, 1, "restock", 1_761, 229, 575)], settled_on=TODAY)
            if self.office.hear(told).parked == 0:
                self.refunds.append(refunding.refund_of(self.office, told.data["return_id"]))
        elif self.refunds:
            getattr(self, name)(self.refunds[which % len(self.refunds)])

    def _post(self, refund_id, step, body, role):
        answer = self.office.post(f"/v1/refunds/{refund_id}/{step}", body, role=role)
        assert answer.status_code in {200, 403, 409, 422}, answer.json

    def approve(self, refund_id):
        self._post(refund_id, "decisions", {"decision": "approved"}, "finance_auditor")

    def approve_by_bank(self, refund_id):
        self._post(refund_id, "decisions", {"decision": "approved", "by_bank": ["wechat"]}, "finance_head")

    def hold(self, refund_id):
        self._post(refund_id, "hold", {"reason": "r"}, "accountant")

    def release(self, refund_id):
        self._post(refund_id, "release", {}, "finance_auditor")

    def pay_desk(self, refund_id):
        part = {"tender": "wechat", "reference": f"CH-{uuid4().hex}"}
        self._post(refund_id, "pay", {"parts": [part]}, "accountant")

    def pay_cash(self, refund_id):
        self._post(refund_id, "pay", {"parts": [{"tender": "cash"}]}, "cashier")

    def pay_all(self, _):
        part = {"tender": "wechat", "reference": f"CH-{uuid4().hex}"}
        wanted = [{"refund_id": each, "parts": [part]} for each in self.refunds]
        answer = self.office.post("/v1/refunds/pay/bulk", {"payments": wanted}, role="accountant")
        assert answer.status_code == 200, answer.json

    def fail(self, refund_id):
        self._post(refund_id, "fail", {"tender": "wechat", "reason": "account_closed"}, "accountant")


@pytest.mark.requirement("F22")
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.tuples(NAMES, st.integers(0, 4)), min_size=6, max_size=16))
def test_whatever_people_do_the_books_owe_what_is_unpaid_and_no_tender_gives_back_too_much(office, steps):
    counter = Counter(office)
    for name, which in [("return", 0), *steps]:
        counter.step(name, which)
        assert office.get("/v1/refund-liabilities").json["agrees"], name
    took = {"cash": 1_700, "wechat": 6_260}
    shown = [refunding.refund(office, each) for each in counter.refunds]
    for tender, fen in took.items():
        back = [part for each in shown for part in each["parts"] if part["tender"] == tender]
        assert sum(part["amount"]["fen"] for part in back) <= fen
    for each in shown:
        told = office.value(
            "select count(*) from outbox where type = 'finance.refund.paid.v1' and subject = :id",
            id=each["refund_id"],
        )
        assert (told == 1) == (each["state"] == "paid") == (each["unpaid"]["fen"] == 0)
        assert [step["version"] for step in each["steps"]] == list(range(1, each["version"] + 1))
