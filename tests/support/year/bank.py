"""Two bank accounts: what the bank shows of each month, sooner or later, matched until only what we know is open."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from finance.bank_files.rules.clearing import clearings
from finance.bank_files.rules.formats import Statement, StatementLine
from finance.bank_matching.commands import matching, reconciling
from finance.bank_matching.queries import lines, reconciliations
from finance.bank_matching.rules import Day, Entry, MatchKind, Meant
from finance.bank_statements import commands
from finance.bank_statements.model import NewAccount
from finance.kernel.period import month_text
from shared.clock import month_of, next_month
from tests.support.year.desk import BRANCHES, YEAR, last_day, moment

FIRST = date(YEAR, 1, 1)
NOTHING = {"reason": None, "items": [], "clearing": None, "batches": [], "branch_id": None}
OPENING_FEN = 5_000_000


@dataclass
class Account:
    """An account as its bank has it: what lines it showed, and what each stands for while nobody confirmed it."""

    id: UUID
    shown_fen: int = 0
    lines: dict[str, Any] = field(default_factory=dict)
    plans: dict[str, Any] = field(default_factory=dict)

    def line(self, number, day, fen, plan, summary="", clearing=None):
        reference = f"B{number}"
        self.plans[reference] = {**NOTHING, **plan}
        return StatementLine(booked_on=day, fen=fen, reference=reference, summary=summary, clearing=clearing)


class Bank:
    def __init__(self, year):
        self.year, self.number = year, 0
        self.main, self.other = (self.registered(number) for number in ("CN001 2345", "CN999 0000"))

    def registered(self, number):
        new = NewAccount(name="基本户", bank="示例银行", number=number, branch_id=None)
        account = self.year.do(moment(FIRST), "finance_head", commands.register_account, new)
        return Account(account.account_id)

    def show(self, account, month, day, fen, plan, **told):
        """A line of the month on `day`, or the next day of it that is possible."""
        self.number += 1
        return account.line(self.number, min(max(day, month), last_day(month)), fen, plan, **told)

    # --- a month ------------------------------------------------------------------------------------

    def month(self, month):
        """Import, match, take a match back, reconcile. Some lines and some entries wait for the next month."""
        self.load(
            self.main, month, [*self.of_books(month), *self.of_clearing(month), *self.of_bank_alone(month)]
        )
        self.match(self.main, month)
        self.load(self.other, month, self.arrivals(month))
        self.match(self.other, month)
        if month.month % 2 == 0:
            self.take_back(month)
        for account in (self.main, self.other):
            self.reconcile(account, month, self.later(month))

    def later(self, month):
        return moment(next_month(month), 1)

    def load(self, account, month, lines):
        opening = account.shown_fen or (OPENING_FEN if month == FIRST and account is self.main else 0)
        closing = opening + sum(line.fen for line in lines)
        statement = Statement(
            account=None,
            number=month_text(month),
            from_on=month,
            to_on=last_day(month),
            opening_fen=opening,
            closing_fen=closing,
            lines=lines,
        )
        at = self.later(month)
        self.year.do(at, "accountant", commands.import_statement, account.id, statement, repr(lines).encode(), "csv")  # fmt: skip
        account.shown_fen = closing

    def open_items(self, kind, until):
        """Those that no line has shown, be it matched or waiting."""
        waiting = {
            (each["source_id"], each["entry_kind"]) for plan in self.waiting() for each in plan["items"]
        }
        found = self.year.ask(lines.open_items, kind, FIRST, until, branch_id=None)
        return [item for item in found if (item.source_id, item.entry_kind) not in waiting]

    def waiting(self):
        """What the lines stand for that nobody has matched yet."""
        for account in (self.main, self.other):
            for line in self.unmatched(account):
                if line.reference in account.plans:
                    yield account.plans[line.reference]

    def of_books(self, month):
        """The bank shows most of what the books have, some of it together, and what is on its way to it."""
        items = [
            each
            for each in self.open_items(MatchKind.BOOK, last_day(month))
            if self.year.chance.random() < 0.9
        ]
        while items:
            together = [items.pop() for _ in range(min(len(items), self.year.chance.choice((1, 1, 1, 2))))]
            if sum(item.fen for item in together):
                yield self.of_items(month, MatchKind.BOOK, together)
        for item in self.open_items(MatchKind.TRANSIT, last_day(month)):
            if item.entry_kind != "bank_direct" and self.year.chance.random() < 0.8:
                yield self.of_items(month, MatchKind.TRANSIT, [item])

    def of_items(self, month, kind, items, account=None):
        plan = {
            "kind": kind.value,
            "items": [{"source_id": i.source_id, "entry_kind": i.entry_kind} for i in items],
        }
        day = items[0].booked_on + timedelta(days=self.year.chance.randrange(4))
        return self.show(account or self.main, month, day, sum(item.fen for item in items), plan)

    def of_clearing(self, month):
        """Each wallet pays the takings of some branches, less its fee."""
        for clearing in self.year.chance.sample(clearings(), 2):
            until = month + timedelta(days=self.year.chance.randint(15, 27))
            since = month - timedelta(days=40)
            found = self.year.ask(lines.open_batches, clearing, since, until, branch_id=None)
            shown = [
                batch for plan in self.waiting() if plan["clearing"] == clearing for batch in plan["batches"]
            ]
            branches = self.year.chance.sample(BRANCHES, 3)
            chosen = [
                each
                for each in found
                if each.branch_id in branches and {"branch_id": each.branch_id, "day": each.day} not in shown
            ]
            gross = sum(each.fen for each in chosen)
            if not chosen or gross <= 0:
                continue
            fee = 0 if clearing == "medical_insurance" else gross * self.year.chance.randint(0, 60) // 10_000
            batches = [{"branch_id": each.branch_id, "day": each.day} for each in chosen]
            plan = {"kind": "settlement", "clearing": clearing, "batches": batches}
            yield self.show(self.main, month, until, gross - fee, plan, clearing=clearing)

    def of_bank_alone(self, month):
        for reason, sign in (
            ("bank_fee", -1),
            ("interest", 1),
            ("unidentified_receipt", 1),
            ("own_transfer", -1),
        ):
            fen = sign * self.year.chance.randint(1, 90_000)
            plan = {"kind": "direct", "reason": reason, "branch_id": "S001"}
            yield self.show(self.main, month, self.year.day(month), fen, plan)

    def arrivals(self, month):
        """Transfers between our accounts that the main one told of, some days later or next month."""
        return [
            self.of_items(month, MatchKind.TRANSIT, [item], self.other)
            for item in self.open_items(MatchKind.TRANSIT, last_day(month))
            if item.entry_kind == "bank_direct" and self.year.chance.random() < 0.7
        ]

    # --- matching -----------------------------------------------------------------------------------

    def unmatched(self, account):
        return self.year.rows(
            "select * from bank_lines l where account_id = :id and not exists"
            " (select from bank_matches m where m.line_id = l.line_id and m.undone_at is null)"
            " order by booked_on, line_id",
            id=account.id,
        )

    def match(self, account, month):
        """Confirm what each line stands for, but for a few that wait."""
        self.look_at_proposals(account, month)
        for line in self.unmatched(account):
            opening = {**NOTHING, "kind": "direct", "reason": "capital_paid_in", "branch_id": "S001"}
            plan = account.plans.get(line.reference, opening)
            if self.year.chance.random() < 0.05:
                continue
            # what a line of an earlier month stands for may have changed by late uploads
            act = self.year.do if line.booked_on >= month else self.year.tried
            act(self.later(month), "accountant", matching.confirm, line.line_id, meant(plan))

    def look_at_proposals(self, account, month):
        """Whatever is proposed makes the line, less a fee."""
        args = {"cursor": None, "limit": 50}
        page = self.year.do(self.later(month), "accountant", lines.proposals, account.id, args)
        for row in page["items"]:
            for each in row["proposals"]:
                gross = sum(part.fen for part in (*each.items, *each.batches))
                assert gross - each.fee_fen == row["fen"]

    def take_back(self, month):
        """A match is undone by somebody else, and made again with the next month's."""
        made = self.year.rows(
            "select match_id from bank_matches where undone_at is null and account_id = :id"
            " and coalesce(reason, '') <> 'own_transfer' order by match_id",
            id=self.main.id,
        )
        [match_id] = self.year.chance.choice(made)
        self.year.do(self.later(month), "finance_head", matching.undo, match_id, "配错了")

    # --- reconciliation -----------------------------------------------------------------------------

    def reconcile(self, account, month, at):
        """Both sides meet, and what is open on each side is what nobody has matched."""
        self.year.do(at, "accountant", reconciling.complete_reconciliation, account.id, month)
        done = self.year.do(at, "accountant", reconciliations.completed_of, account.id, month)
        bank_only = [*done["received_by_bank_only"], *done["paid_by_bank_only"]]
        book_only = [*done["received_by_book_only"], *done["paid_by_book_only"]]
        assert done["difference_fen"] == 0
        assert done["book_fen"] + total(bank_only) == done["statement_fen"] + total(book_only)

    def ties(self, year, booked):
        """1002 less what the bank has not shown is what the statements say, with what the books do not have yet."""
        shown = self.main.shown_fen + self.other.shown_fen
        open_lines = [*self.unmatched(self.main), *self.unmatched(self.other)]
        open_entries = year.ask(lines.open_items, MatchKind.BOOK, FIRST, date(9999, 1, 1), branch_id=None)
        undone = year.value(
            "select coalesce(sum(i.fen), 0)::bigint from bank_book_items i join bank_matches m using (match_id)"
            " where m.undone_at is not null"
        )
        assert undone == 0
        entries = sum(item.fen for item in open_entries)
        assert booked("1002") - entries == shown - sum(line.fen for line in open_lines)


def meant(plan):
    return Meant(
        kind=MatchKind(plan["kind"]),
        items=[Entry(**each) for each in plan["items"]],
        clearing=plan["clearing"],
        batches=[Day(**each) for each in plan["batches"]],
        reason=plan["reason"],
        branch_id=plan["branch_id"],
    )


def total(rows):
    return sum(row["fen"] for row in rows)


def still_reconciled(the_bank, month, at):
    """What came late to a month that is not closed is reconciled before it closes."""
    for account in (the_bank.main, the_bank.other):
        the_bank.reconcile(account, month_of(month), at)
