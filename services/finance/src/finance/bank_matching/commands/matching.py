"""Confirm what a bank line stands for, and post what the books lack.

Confirmations wait for each other, so that no entry and no day of a clearing account is matched twice.
Source: F3, F16, F21, X1
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import date
from uuid import UUID

from finance import bank_files, bank_statements, entries, ledger, periods
from finance.bank_matching import rules, store
from finance.bank_matching.queries.lines import open_batches, open_items, open_payments
from finance.bank_matching.rules import Batch, BookItem, Day, Entry, Item, Line, Match, MatchKind, Meant
from finance.bank_statements import Account
from finance.book import book_of
from finance.kernel.period import PeriodClosed, PeriodState
from finance.kernel.posting import PostingLine
from shared import audit
from shared.approvals import SamePerson
from shared.clock import business_date, month_of, new_id
from shared.transaction import Tx


def confirm(tx: Tx, line_id: UUID, meant: Meant) -> tuple[Match, list[BookItem]]:
    """Match a line with what it stands for, and post the transfer where the books do not have it yet.

    Booked to the line's day, or to today with a reference when that month is closed. Entries that are there already are
    matched on the line's day: nothing is posted, so no month begins or must be open.
    Raises LineNotFound, LineMatched, ItemNotOpen, AmountsDiffer, ForeignBatch, BankReasonUnknown, PeriodClosed.
    """
    bank_files.hold(tx, "match")
    line, account = _line(tx, line_id)
    booked_on, reference = (
        (line.booked_on, None)
        if meant.kind is MatchKind.BOOK
        else periods.booking_days(tx, [line.booked_on])[line.booked_on]
    )
    posting = _Posting(tx, new_id(), account, booked_on, reference)
    fee_fen = 0
    if meant.kind is MatchKind.BOOK:
        _tick(posting, line, meant.items)
    elif meant.kind is MatchKind.TRANSIT:
        _arrive(posting, line, meant.items)
    elif meant.kind is MatchKind.SETTLEMENT:
        fee_fen = _settle(posting, line, meant.clearing or "", meant.batches)
    else:
        _book_directly(posting, line, meant.reason or "", meant.branch_id)
    match = Match(
        match_id=posting.match_id,
        line_id=line_id,
        account_id=account.account_id,
        kind=meant.kind.value,
        reason=meant.reason,
        fee_fen=fee_fen,
        booked_on=booked_on,
        confirmed_by=tx.actor.id,
        confirmed_at=tx.now,
    )
    store.add_match(tx, match)
    items = [asdict(each) for each in posting.items]
    audit.record(
        tx, "bank_line.match", str(line_id), before=asdict(line), after={**asdict(match), "items": items}
    )
    return match, posting.items


def _line(tx: Tx, line_id: UUID) -> tuple[Line, Account]:
    account_id, line = store.line(tx, line_id)
    try:
        account = bank_statements.account(tx, account_id)
    except bank_statements.AccountNotFound as error:
        raise rules.LineNotFound("no such bank line") from error
    if store.is_matched(tx, line_id):
        raise rules.LineMatched("the line is matched")
    if not line.fen:
        raise rules.LineMovesNothing("a line of 0.00 needs no match")
    return line, account


class _Posting:
    """Collects the entries on 1002 that make up a line, those found and those posted."""

    def __init__(
        self, tx: Tx, match_id: UUID, account: Account, booked_on: date, reference: str | None
    ) -> None:
        self.tx = tx
        self.chart = book_of(tx.conn).chart
        self.match_id = match_id
        self.account = account
        self.booked_on = booked_on
        self.reference = reference
        self.items: list[BookItem] = []

    def note(self, source_id: UUID, entry_kind: str, booked_on: date, fen: int) -> None:
        """The entry is shown by the line."""
        item = BookItem(
            source_id=source_id,
            entry_kind=entry_kind,
            account_id=self.account.account_id,
            match_id=self.match_id,
            booked_on=booked_on,
            fen=fen,
        )
        store.add_book_item(self.tx, item)
        self.items.append(item)

    def post(self, source_id: UUID, entry_kind: str, branch_id: str, lines: Sequence[PostingLine]) -> None:
        bank = self.chart.code("bank")
        fen = sum(line.debit_fen - line.credit_fen for line in lines if line.account == bank)
        entries.add_entry(
            self.tx,
            entries.NewEntry(
                booked_on=self.booked_on,
                branch_id=branch_id,
                kind=entry_kind,
                source_id=str(source_id),
                postings=lines,
                reference=self.reference,
            ),
        )
        if fen:
            self.note(source_id, entry_kind, self.booked_on, fen)


def _chosen(tx: Tx, kind: MatchKind, account: Account, wanted: Sequence[Entry]) -> list[Item]:
    """The open items that were named. Raises ItemNotOpen."""
    days = store.days_of(tx, [each.source_id for each in wanted])
    keys = set(wanted)
    if days is None or len(keys) != len(wanted):
        raise rules.ItemNotOpen("an entry is not known, or named twice")
    found = [
        item
        for item in open_items(tx.conn, kind, days[0], days[1], branch_id=account.branch_id)
        if (item.source_id, item.entry_kind) in keys
    ]
    if len(found) != len(keys):
        raise rules.ItemNotOpen("an entry is not on the account, or a bank line showed it already")
    return found


def _require_sum(line: Line, fen: int) -> None:
    if fen != line.fen:
        raise rules.AmountsDiffer(
            "what is matched does not make the line", line_fen=line.fen, matched_fen=fen
        )


def _tick(posting: _Posting, line: Line, wanted: Sequence[Entry]) -> None:
    items = _chosen(posting.tx, MatchKind.BOOK, posting.account, wanted)
    _require_sum(line, sum(item.fen for item in items))
    for item in items:
        posting.note(item.source_id, item.entry_kind, item.booked_on, item.fen)


def _arrive(posting: _Posting, line: Line, wanted: Sequence[Entry]) -> None:
    items = _chosen(posting.tx, MatchKind.TRANSIT, posting.account, wanted)
    _require_sum(line, sum(item.fen for item in items))
    for item in items:
        source_id = new_id()
        store.add_transit(posting.tx, posting.match_id, item)
        posting.post(
            source_id, "bank_transit", item.branch_id, rules.transit_postings(posting.chart, item.fen)
        )


def _settle(posting: _Posting, line: Line, clearing: str, wanted: Sequence[Day]) -> int:
    """Empty the clearing account of the days that were named; one entry per branch. Returns the fee."""
    keys, account = set(wanted), posting.account
    if account.branch_id is not None and {key.branch_id for key in keys} != {account.branch_id}:
        raise rules.ForeignBatch("the account collects for another branch")
    found = _named(posting.tx, clearing, keys, account.branch_id)
    if len(found) != len(wanted):
        raise rules.ItemNotOpen("a day of a branch has nothing to settle, or is named twice")
    gross = sum(batch.fen for batch in found)
    fee = rules.fee_of(replace(line, clearing=clearing), gross)
    if fee is None:
        raise rules.AmountsDiffer(
            "the days do not make the line, less a fee that the contract allows",
            line_fen=line.fen,
            matched_fen=gross,
        )
    _post_settlement(posting, clearing, found, fee)
    return fee


def _named(tx: Tx, clearing: str, keys: Collection[Day], branch_id: str | None) -> list[Batch]:
    """What is open of the days and payments that were named; a day has room for all its payments that are."""
    days = [key.day for key in keys]
    open_days = open_batches(tx.conn, clearing, min(days), max(days), branch_id=branch_id)
    ids = {key.channel_transaction_id for key in keys} - {None}
    payments = (
        open_payments(tx.conn, clearing, [str(each) for each in ids], branch_id=branch_id) if ids else []
    )
    chosen = [
        each
        for each in [*open_days, *payments]
        if Day(each.branch_id, each.day, each.channel_transaction_id) in keys
    ]
    taken: dict[Day, int] = defaultdict(int)
    for each in chosen:
        taken[Day(each.branch_id, each.day)] += each.fen
    room = {Day(each.branch_id, each.day): each.fen for each in open_days}
    return [
        each
        for each in chosen
        if each.channel_transaction_id is None
        or taken[Day(each.branch_id, each.day)] <= room.get(Day(each.branch_id, each.day), 0)
    ]


def _post_settlement(posting: _Posting, clearing: str, batches: Sequence[Batch], fee_fen: int) -> None:
    gross: dict[str, int] = defaultdict(int)
    for batch in batches:
        gross[batch.branch_id] += batch.fen
    store.add_settled(posting.tx, posting.match_id, batches)
    fees = rules.share_fee(fee_fen, gross)
    for branch_id in sorted(gross):
        lines = rules.settlement_postings(posting.chart, clearing, gross[branch_id], fees[branch_id])
        posting.post(new_id(), "bank_settlement", branch_id, lines)


def _book_directly(posting: _Posting, line: Line, reason: str, branch_id: str | None) -> None:
    account = posting.account
    where = branch_id or account.branch_id
    if where is None or account.branch_id not in {None, where}:
        raise rules.ForeignBatch("name the branch that bears it, of those the account is for")
    posting.tx.actor.require_branch(where)
    lines = rules.direct_postings(posting.chart, reason, line.fen, line.booked_on)
    posting.post(posting.match_id, "bank_direct", where, lines)


def undo(tx: Tx, match_id: UUID, reason: str) -> tuple[Match, list[BookItem]]:
    """Take a wrong match back, by another person than who confirmed it: what it posted is mirrored, booked today.

    The line, and what it was matched with, are open again. Raises MatchNotFound, MatchUndone, SamePerson, ItemNotOpen
    when a transfer it told of has reached another account, PeriodClosed.
    """
    bank_files.hold(tx, "match")
    match, account = _match(tx, match_id)
    if match.confirmed_by == tx.actor.id:
        raise SamePerson("who confirmed a match does not take it back")
    if store.has_arrived(tx, match_id):
        raise rules.ItemNotOpen("the transfer reached another account: take that match back first")
    posted = store.posted_by(tx, match_id)
    today = business_date(tx.now)
    if posted and periods.hold_months(tx.conn, [today])[month_of(today)] != PeriodState.OPEN:
        raise PeriodClosed("no open period to take the match back in")
    posting = _Posting(tx, match_id, account, today, f"undo:{match_id}")
    for entry in posted:
        posting.post(
            entry.source_id, "bank_undone", entry.branch_id, _mirrored(tx, entry.entry_id, entry.booked_on)
        )
    store.undo(tx, match_id, reason)
    undone = replace(match, undone_by=tx.actor.id, undone_at=tx.now, undone_reason=reason)
    audit.record(tx, "bank_match.undo", str(match_id), before=asdict(match), after=asdict(undone))
    return undone, posting.items


def _match(tx: Tx, match_id: UUID) -> tuple[Match, Account]:
    match = store.match(tx, match_id)
    try:
        account = bank_statements.account(tx, match.account_id)
    except bank_statements.AccountNotFound as error:
        raise rules.MatchNotFound("no such match") from error
    if match.undone_at is not None:
        raise rules.MatchUndone("the match was taken back")
    return match, account


def _mirrored(tx: Tx, entry_id: int, booked_on: date) -> list[PostingLine]:
    return [
        PostingLine(line.account, line.credit_fen, line.debit_fen)
        for line in ledger.postings(tx.conn, entry_id, booked_on)
    ]
