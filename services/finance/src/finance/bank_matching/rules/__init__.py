"""What may be matched with a bank line, what it posts, and how a month is reconciled. Pure; amounts are fen.

Proposals, best first: payments whose channel's ids stand in the line; same amount and the reference stands in the line;
days of a clearing account whose sum less a fee is the line (cards and wallets settle many sales at once); same amount
within a few days.
Source: F3, F16, M24, model 3.2 (BankStatement/Match)
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from finance.kernel import dated
from finance.kernel.chart import Chart
from finance.kernel.posting import PostingLine, balanced
from shared.calendar import Calendar
from shared.errors import Conflict, Invalid, NotFound
from shared.languages import Text
from shared.money import allocate, half_up

PROPOSALS_MAX = 5


class LineMovesNothing(Conflict):
    """A line of 0.00 needs no match."""

    code = "bank_line_moves_nothing"
    cure = "Nothing needs doing: the line moves no money."


class LineNotFound(NotFound):
    code = "bank_line_not_found"
    cure = "Look it up in the list of the account's lines."


class LineMatched(Conflict):
    code = "bank_line_matched"
    cure = "Take the match back first if it is wrong."


class MatchNotFound(NotFound):
    code = "bank_match_not_found"
    cure = "Look it up in the list of matches."


class MatchUndone(Conflict):
    code = "bank_match_undone"
    cure = "Nothing needs doing: the line can be matched anew."


class ItemNotOpen(Conflict):
    """There is no such entry on the account, or a bank line showed it already."""

    code = "bank_item_not_open"
    cure = "Look the open entries of this account up again and name each once."


class AmountsDiffer(Conflict):
    """What is matched does not make the line, or leaves a fee beyond the contract."""

    code = "bank_amounts_differ"
    cure = "Name entries, or days with their fee, that add up to the line."


class BankReasonUnknown(Invalid):
    code = "bank_reason_unknown"
    cure = "Use one of the reasons that the sentence lists for money that goes this way."


class ForeignBatch(Invalid):
    """The account collects for another branch."""

    code = "bank_foreign_batch"
    cure = "Name a branch that the account is for."


class StatementMissing(Conflict):
    """No statement reaches the end of the month."""

    code = "bank_statement_missing"
    cure = "Upload the statements up to the end of the month."


class NotReconciled(Conflict):
    """A month closes when its bank accounts are reconciled with the books as they are."""

    code = "bank_not_reconciled"
    cure = "Confirm the reconciliation of each account that `accounts` names, then close the month."


class ReconciliationDiffers(Conflict):
    """Both sides do not meet: entries of 1002 and its balance disagree."""

    code = "bank_reconciliation_differs"
    cure = "Match what is left and look for what is booked wrong until both adjusted balances are equal."


class MatchKind(StrEnum):
    BOOK = "book"
    TRANSIT = "transit"
    SETTLEMENT = "settlement"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    booked_on: date
    fen: int
    reference: str
    summary: str
    clearing: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An entry on 1002 (book) or on cash in transit that no bank line has shown; `fen` is debit less credit."""

    kind: MatchKind
    source_id: UUID
    entry_kind: str
    branch_id: str
    booked_on: date
    fen: int
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a branch's day left on a clearing account and nobody settled, or one payment of it, by its channel's id."""

    clearing: str
    branch_id: str
    day: date
    fen: int
    channel_transaction_id: str | None = None


class Entry(NamedTuple):
    """An entry of the ledger, by the document that posted it."""

    source_id: UUID
    entry_kind: str


class Day(NamedTuple):
    """A branch's day on a clearing account, or one payment of it."""

    branch_id: str
    day: date
    channel_transaction_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What a person says that a line stands for; `kind` says which of the others count."""

    kind: MatchKind
    items: Sequence[Entry] = ()
    clearing: str | None = None
    batches: Sequence[Day] = ()
    reason: str | None = None
    branch_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a line was said to stand for, until somebody else takes it back."""

    match_id: UUID
    line_id: UUID
    account_id: UUID
    kind: str
    reason: str | None
    fee_fen: int
    booked_on: date
    confirmed_by: str
    confirmed_at: datetime
    undone_by: str | None = None
    undone_at: datetime | None = None
    undone_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookItem:
    """An entry on 1002 that a match shows; `fen` is debit less credit."""

    source_id: UUID
    entry_kind: str
    account_id: UUID
    match_id: UUID
    booked_on: date
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    kind: MatchKind
    rule: str
    items: Sequence[Item] = ()
    batches: Sequence[Batch] = ()
    fee_fen: int = 0


def rule(name: str, day: date) -> int:
    value: int = dated.value("bank_rules", name, day)
    return value


def clearing_account(chart: Chart, clearing: str) -> str:
    return chart.code(dated.newest("bank_clearings", date.max, clearing=clearing)["account"])


def mentions(text: str, reference: str) -> bool:
    """Whether the reference stands in the text as a whole: BAG-7 is not in BAG-70."""
    found = re.escape(unicodedata.normalize("NFKC", reference).casefold())
    told = unicodedata.normalize("NFKC", text).casefold()
    return re.search(rf"(?<![0-9a-z]){found}(?![0-9a-z])", told) is not None


def reasons() -> list[str]:
    return sorted({row["reason"] for row in dated.read("bank_reasons")})


_ID = re.compile(r"[A-Za-z0-9._:/\-]{4,64}")
_WORD_OF_ID = re.compile(r"[A-Za-z0-9]{4,64}")


def ids_in(line: Line) -> set[str]:
    """What of a line's text may be a channel's id."""
    told = unicodedata.normalize("NFKC", f"{line.reference} {line.summary}")
    return {*_ID.findall(told), *_WORD_OF_ID.findall(told)}


def is_open(payment: Batch, batches: Iterable[Batch]) -> bool:
    """Whether its day has as much left that nobody settled."""
    return any(
        (each.clearing, each.branch_id, each.day) == (payment.clearing, payment.branch_id, payment.day)
        and each.fen >= payment.fen
        for each in batches
    )


def _paid(line: Line, batches: Sequence[Batch], payments: Iterable[Batch]) -> list[Proposal]:
    """The payments whose channel's ids the line names, all or one, when they make the line less an allowed fee."""
    named = ids_in(line)
    chosen = [
        each
        for each in payments
        if each.clearing == line.clearing and each.channel_transaction_id in named and is_open(each, batches)
    ]
    ways = [chosen] if len(chosen) == 1 else [chosen, *([each] for each in chosen)]
    return [
        Proposal(kind=MatchKind.SETTLEMENT, rule="channel", batches=way, fee_fen=fee)
        for way in ways
        if way and (fee := fee_of(line, sum(each.fen for each in way))) is not None
    ]


def propose(
    line: Line, items: Iterable[Item], batches: Sequence[Batch], payments: Iterable[Batch] = ()
) -> list[Proposal]:
    """At most PROPOSALS_MAX, best first; nothing is matched by a proposal alone."""
    same = [each for each in items if each.fen == line.fen]
    told = f"{line.reference} {line.summary}"
    by_reference = [each for each in same if each.reference and mentions(told, each.reference)]
    window = rule("match_window_days", line.booked_on)
    near = [
        each
        for each in same
        if each not in by_reference and abs((line.booked_on - each.booked_on).days) <= window
    ]
    near.sort(
        key=lambda each: (abs((line.booked_on - each.booked_on).days), each.booked_on, str(each.source_id))
    )
    found = [] if line.clearing is None else _paid(line, batches, payments)
    found += [Proposal(kind=each.kind, rule="reference", items=[each]) for each in by_reference]
    if line.clearing is not None:
        found += _settlements(line, [each for each in batches if each.clearing == line.clearing])
    found += [Proposal(kind=each.kind, rule="date", items=[each]) for each in near]
    return found[:PROPOSALS_MAX]


def _settlements(line: Line, batches: Sequence[Batch]) -> list[Proposal]:
    """Runs of consecutive days, newest and shortest first, whose sum less an allowed fee is the line."""
    earliest = line.booked_on - timedelta(days=rule("settlement_days_max", line.booked_on))
    days = sorted({each.day for each in batches if earliest <= each.day <= line.booked_on}, reverse=True)
    sums = {day: sum(each.fen for each in batches if each.day == day) for day in days}
    found = []
    for newest in range(len(days)):
        gross = 0
        for oldest in range(newest, len(days)):
            gross += sums[days[oldest]]
            fee = fee_of(line, gross)
            if fee is not None:
                run = set(days[newest : oldest + 1])
                chosen = sorted(
                    (each for each in batches if each.day in run), key=lambda each: (each.day, each.branch_id)
                )
                found.append((oldest - newest, newest, fee, chosen))
    found.sort(key=lambda each: each[:2])
    return [
        Proposal(kind=MatchKind.SETTLEMENT, rule="settlement", batches=chosen, fee_fen=fee)
        for _, _, fee, chosen in found
    ]


def fee_of(line: Line, gross_fen: int) -> int | None:
    """The fee kept back of `gross_fen`, if the contract allows it; None otherwise."""
    assert line.clearing is not None
    row = dated.newest("bank_clearings", line.booked_on, clearing=line.clearing)
    fee = gross_fen - line.fen
    return fee if 0 <= fee <= half_up(abs(gross_fen) * row["fee_max_bp"], 10_000) else None


def _sided(account: str, fen: int) -> PostingLine:
    return PostingLine(account, fen, 0) if fen > 0 else PostingLine(account, 0, -fen)


def transit_postings(chart: Chart, fen: int) -> list[PostingLine]:
    """Money on its way reached the bank (or, negative, left it)."""
    return balanced([_sided(chart.code("bank"), fen), _sided(chart.code("cash_in_transit"), -fen)])


def settlement_postings(chart: Chart, clearing: str, gross_fen: int, fee_fen: int) -> list[PostingLine]:
    """The clearing account is emptied: net to the bank, the fee to financial expenses."""
    return balanced(
        [
            _sided(chart.code("bank"), gross_fen - fee_fen),
            _sided(chart.code("financial_expenses"), fee_fen),
            _sided(clearing_account(chart, clearing), -gross_fen),
        ]
    )


def direct_postings(chart: Chart, reason: str, fen: int, day: date) -> list[PostingLine]:
    """What only the bank knew of. Raises BankReasonUnknown, also for the wrong direction."""
    known = reasons()
    if reason not in known:
        raise BankReasonUnknown(Text("a reason is one of {known}", known=", ".join(known)), reasons=known)
    row = dated.newest("bank_reasons", day, reason=reason)
    if row["sign"] not in {"both", "in" if fen > 0 else "out"}:
        raise BankReasonUnknown(Text("{reason} goes the other way", reason=reason))
    return balanced([_sided(chart.code("bank"), fen), _sided(chart.code(row["account"]), -fen)])


def share_fee(fee_fen: int, gross_by_branch: Mapping[str, int]) -> dict[str, int]:
    """The fee per branch in proportion to what it gave, by largest remainder; branches below 0 bear none
    while one is above it.
    """
    branches = sorted(gross_by_branch)
    if not fee_fen:
        return dict.fromkeys(branches, 0)
    weights = [max(gross_by_branch[each], 0) for each in branches]
    if not any(weights):
        weights = [abs(gross_by_branch[each]) for each in branches]
    shares = allocate(fee_fen, weights)
    return dict(zip(branches, shares, strict=True))


def was_in_time(calendar: Calendar, line_on: date, day: date) -> bool:
    """Whether a line that was matched on `day` was so in time. Raises CalendarUnknown where it cannot be known."""
    return calendar.is_within(line_on, day, rule("unmatched_days", line_on))


def is_overdue(calendar: Calendar, line_on: date, today: date) -> bool | None:
    """Whether a line that is not matched should have been; None where it cannot be known yet."""
    return calendar.is_overdue(line_on, today, rule("unmatched_days", line_on))
