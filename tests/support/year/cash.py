"""Shifts at drawers, and what the safes see: each fen is reckoned here, too, and never asked back."""

from datetime import timedelta

from finance.cash import commands as cash
from finance.cash import queries
from finance.cash.model import Moving, Pieces
from finance.cash.rules import Outcome
from finance.kernel.receipt import decoder
from finance.refunds.commands import paying
from finance.refunds.commands import steps as refunds
from finance.refunds.rules import Payment
from finance.sales.commands import bulk, post
from finance.sales.rules import files
from shared.clock import utc_now
from tests.support.finance_builders import a_line, a_receipt, money, ndjson
from tests.support.year.desk import BRANCHES, LATEST, moment

SURPLUS = (Outcome.INCOME, Outcome.OWED)
SHORTAGE = (Outcome.PERSON, Outcome.EXPENSE)


def posted(year, receipt, at, person="the-till"):
    """A till posts a receipt, or uploads it; its cash lies in the safe until a shift says that its drawer has it."""
    is_paid_by_points = any(each["tender"] == "points" for each in receipt["tenders"])
    if is_paid_by_points or year.fifty_fifty():
        year.do(at, "till", post.post_sale, decoder.decode(ndjson([receipt])), person=person)
    else:
        [result] = year.do(at, "till", bulk.load, list(files.from_ndjson([ndjson([receipt])])), person=person)
        assert result.state == "posted"
    cash_fen = sum(each["amount"]["fen"] for each in receipt["tenders"] if each["tender"] == "cash")
    year.safe[receipt["branch_id"]] += cash_fen
    return cash_fen


def counted(fen):
    return [Pieces(1, fen)] if fen else []


def shifts(year, month):
    for branch in year.chance.sample(BRANCHES, 2):
        for number in sorted(year.chance.sample(range(28), year.chance.choice((1, 2)))):
            Shift(year, branch, month + timedelta(days=number)).work()
    resolve_some(year, month)


class Shift:
    """One drawer of a branch for a day."""

    def __init__(self, year, branch, day):
        self.year, self.branch, self.day = year, branch, day
        self.chance = year.chance
        self.till = f"till-{branch}"
        self.holds = 0

    def do(self, hour, command, *args, role="cashier", **kwargs):
        return self.year.do(moment(self.day, hour), role, command, *args, **kwargs)

    def sell(self, hour):
        """Into the drawer, while it is open."""
        fen, change = self.chance.randint(1, 60_000), self.chance.choice((0, 1_500))
        tenders = [{"tender": "cash", "amount": money(fen)}]
        if change:
            tenders.append({"tender": "wechat", "amount": money(change)})
        line = a_line(quantity=1, unit_price=money(fen + change), discount=money(0), expiry=LATEST)
        at = moment(self.day, hour)
        receipt = a_receipt(branch_id=self.branch, sold_at=at.isoformat(), lines=[line], tenders=tenders)
        return posted(self.year, receipt, at, self.till)

    def put(self, fen):
        """From the safe to the drawer, on paper."""
        self.holds += fen
        self.year.safe[self.branch] -= fen

    def work(self):
        self.open()
        for _ in range(self.chance.randint(1, 3)):
            self.put(self.sell(3))
        for _ in range(self.chance.randint(0, 2)):
            self.move()
        self.pay_a_refund()
        if self.chance.random() < 0.3:
            self.surprise()
        self.close()

    def open(self):
        if self.branch not in self.year.drawers:
            self.do(0, cash.register_drawer, self.branch, "D1", self.till, role="store_manager")
        carried = self.year.drawers.get(self.branch, 0)
        wanted = self.chance.randint(0, 80_000)
        short = wanted - carried - self.year.safe[self.branch]
        if short > 0:
            withdrawal = Moving(kind="bank_withdrawal", fen=short)
            self.do(0, cash.move_safe, self.branch, withdrawal)
            self.year.safe[self.branch] += short
        self.session = self.do(1, cash.open_session, self.branch, "D1", wanted)
        self.holds = carried
        self.put(wanted - carried)

    def move(self):
        kind, reason, sign, to_safe = self.chance.choice(
            (
                ("pay_in", "other_income", 1, False),
                ("payout", "petty_expense", -1, False),
                ("bank_drop", None, -1, False),
                ("safe_drop", None, -1, True),
                ("top_up", None, 1, True),
            )
        )
        there = self.year.safe[self.branch] if kind == "top_up" else self.holds if sign < 0 else 5_000
        if there <= 0:
            return
        fen = self.chance.randint(1, min(there, 30_000))
        self.do(4, cash.move, self.session, Moving(kind=kind, fen=fen, reason=reason))
        self.holds += sign * fen
        if to_safe:
            self.year.safe[self.branch] -= sign * fen

    def pay_a_refund(self):
        """The cash part of a refund of the branch, out of the drawer; or the safe paid it, and the drawer says it did."""
        waiting = self.year.rows(
            "select refund_id, state, t.fen from refunds r join refund_tenders t using (refund_id)"
            " where t.means = 'cash' and r.branch_id = :branch and state in ('verified', 'approved', 'paying')"
            " and not exists (select from refund_payments p where p.refund_id = r.refund_id and p.tender = 'cash')"
            " and t.fen <= :holds order by refund_id limit 1",
            branch=self.branch,
            holds=self.holds,
        )
        for refund_id, state, fen in waiting:
            if state == "verified":
                self.do(5, refunds.approve, refund_id, role="finance_auditor")
            if self.chance.random() < 0.3 and fen <= self.year.safe[self.branch]:
                self.do(5, paying.pay, refund_id, [Payment(tender="cash")])
            self.do(6, paying.pay_from_drawer, self.session, refund_id)
            self.holds -= fen

    def surprise(self):
        """Somebody else counts the drawer, or the safe."""
        off = max(self.chance.randint(-300, 300), -self.holds)
        if self.year.fifty_fifty():
            self.count(self.session, self.holds + off)
            self.holds += off
        else:
            off = max(off, -self.year.safe[self.branch])
            self.count(None, self.year.safe[self.branch] + off)
            self.year.safe[self.branch] += off

    def count(self, session, fen):
        self.do(6, cash.surprise_count, self.branch, session, counted(fen), role="finance_auditor")

    def close(self):
        self.do(7, cash.begin_count, self.session)
        if self.year.fifty_fifty():
            self.sell(8)  # after the count began: for the safe
        off = self.chance.choice((0, 0, 0, self.chance.randint(-12_000, 12_000)))
        found = max(self.holds + off, 0)
        left = self.chance.randint(0, found)
        self.do(9, cash.close_session, self.session, counted(found), left)
        closed = self.do(9, queries.session, self.session)
        assert (closed["expected_fen"], closed["variance_fen"]) == (self.holds, found - self.holds)
        self.year.safe[self.branch] += found - left
        self.year.drawers[self.branch] = left


def resolve_some(year, month):
    open_ones = year.rows("select variance_id, fen from cash_variances where outcome is null order by 1")
    for variance_id, fen in open_ones:
        if year.chance.random() < 0.7:
            outcome = year.chance.choice(SURPLUS if fen > 0 else SHORTAGE)
            person = "wang" if outcome is Outcome.PERSON else None
            at = moment(month + timedelta(days=27), 12)
            year.do(at, "finance_auditor", cash.resolve, variance_id, outcome, person, "数过两遍", person="an-auditor")  # fmt: skip


def drawers_and_safes_tie(year, booked):
    """1001 of every branch lies where our own reckoning put it; what is short or over waits in 1901."""
    found = {}
    for branch in BRANCHES:
        shown = position(year, branch)
        held = {each["drawer"]: each["fen"] for each in shown["drawers"]}
        assert shown["safe_fen"] == year.safe[branch], branch
        assert sum(held.values()) == year.drawers.get(branch, 0), branch
        found[branch] = shown["on_hand_fen"]
    in_ledger = year.rows(
        "select branch_id, sum(debit_fen - credit_fen)::bigint from journal_lines where account = '1001' group by 1"
    )
    assert {branch: fen for branch, fen in found.items() if fen} == {b: f for b, f in in_ledger if f}
    pending = "select coalesce(sum(-fen), 0)::bigint from cash_variances where outcome is null"
    destroyed = "select coalesce(sum(cost_fen), 0)::bigint from refund_lines where disposition <> 'restock'"
    assert booked("1901") == year.value(pending) + year.value(destroyed)


def position(year, branch):
    return year.do(utc_now(), "management", queries.position, branch)
