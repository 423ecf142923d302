"""What cash must obey: what a drawer should hold, what a count finds, how a difference is posted and resolved.

    expected = float + cash sales − cash refunds + pay-ins − payouts − drops        (change is inside cash sales:
    variance = counted − expected, posted to 1901 whatever it is                     a tender is what was kept)

Amounts are fen. Denominations, reasons and limits are dated data.
Source: F3, F4, F21, model 3.2 (CashSession)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from finance.kernel import dated
from finance.kernel.chart import Chart
from finance.kernel.posting import PostingLine, balanced
from shared.approvals import RoleNotAwaited, SamePerson
from shared.calendar import Calendar
from shared.errors import Conflict, Invalid, NotFound
from shared.languages import Text

STORE_MANAGER, AUDITOR = "store_manager", "finance_auditor"


@dataclass(frozen=True, slots=True)
class Pieces:
    """So many notes or coins of one value."""

    denomination_fen: int
    pieces: int


class DrawerNotFound(NotFound):
    code = "cash_drawer_not_found"
    cure = "Look it up in the list of the branch's drawers."


class DrawerTaken(Conflict):
    """The branch has a drawer of this name, or one for this till."""

    code = "cash_drawer_taken"
    cure = "Choose another name, or another till."


class SessionNotFound(NotFound):
    code = "cash_session_not_found"
    cure = "Look it up in the list of the branch's sessions."


class SessionOpen(Conflict):
    """The drawer has a session that is not closed."""

    code = "cash_session_open"
    cure = "Close the session that is open."


class SessionNotOpen(Conflict):
    code = "cash_session_not_open"
    cure = "Open a session of the drawer first."


class SessionNotCounting(Conflict):
    """Nobody opened the count, or somebody closed it."""

    code = "cash_session_not_counting"
    cure = "Begin the count first; a session that is closed is counted once."


class SafeShort(Conflict):
    code = "cash_safe_short"
    cure = "Record the cash that was brought into the safe first."


class DrawerShort(Conflict):
    """More would leave the drawer than it should hold."""

    code = "cash_drawer_short"
    cure = "Bring cash from the safe into the drawer first."


class CarriedExceedsCount(Conflict):
    code = "cash_carried_exceeds_count"
    cure = "Carry forward at most what was counted."


class DenominationUnknown(Invalid):
    """No note or coin in circulation has this value, or it is named twice."""

    code = "cash_denomination_unknown"
    cure = "Use each note and coin of the list once."


class ReasonUnknown(Invalid):
    code = "cash_reason_unknown"
    cure = "Use one of the reasons that the sentence lists."


class CountedByKeeper(Conflict):
    """A surprise count is done by somebody who did not handle the cash that day."""

    code = "cash_counted_by_keeper"
    cure = "Let another person count."


class VarianceNotFound(NotFound):
    code = "cash_variance_not_found"
    cure = "Look it up in the list of variances."


class VarianceResolved(Conflict):
    code = "cash_variance_resolved"
    cure = "Nothing needs doing: the variance is resolved."


class OutcomeUnfit(Invalid):
    """Surplus becomes income or is owed; a shortage is a person's or an expense."""

    code = "cash_outcome_unfit"
    cure = "Choose an outcome that fits a shortage or a surplus, and name the person where one makes it good."


class SessionsOpen(Conflict):
    """A month closes when the drawers of the month are counted."""

    code = "cash_sessions_open"
    cure = "Count and close the sessions that `sessions` names, then close the month."


class Kind(StrEnum):
    PAY_IN = "pay_in"
    PAYOUT = "payout"
    BANK_DROP = "bank_drop"
    BANK_WITHDRAWAL = "bank_withdrawal"
    SAFE_DROP = "safe_drop"
    TOP_UP = "top_up"
    REFUND = "refund"
    VARIANCE = "variance"


DRAWER_KINDS = (Kind.PAY_IN, Kind.PAYOUT, Kind.BANK_DROP, Kind.SAFE_DROP, Kind.TOP_UP)
SAFE_KINDS = (Kind.PAY_IN, Kind.PAYOUT, Kind.BANK_DROP, Kind.BANK_WITHDRAWAL)
INCOMING = frozenset({Kind.PAY_IN, Kind.TOP_UP, Kind.BANK_WITHDRAWAL})


class Outcome(StrEnum):
    INCOME = "income"
    OWED = "owed"
    PERSON = "person"
    EXPENSE = "expense"


_OUTCOME_ACCOUNTS: Mapping[Outcome, str] = {
    Outcome.INCOME: "non_operating_income",
    Outcome.OWED: "cash_over_payable",
    Outcome.PERSON: "other_receivables",
    Outcome.EXPENSE: "administrative_expenses",
}
_OF_SURPLUS = frozenset({Outcome.INCOME, Outcome.OWED})


def denominations(day: date) -> list[Mapping[str, Any]]:
    """Notes and coins in circulation on `day`, largest first."""
    return sorted(dated.in_force("cash_denominations", day), key=lambda row: -row["value"])


def rule(name: str, day: date) -> int:
    value: int = dated.value("cash_rules", name, day)
    return value


def reasons(day: date) -> Sequence[Mapping[str, Any]]:
    return dated.in_force("cash_reasons", day)


def total_of(counted: Sequence[Pieces], day: date) -> int:
    """What was counted, in fen. Raises DenominationUnknown."""
    known = {row["value"] for row in denominations(day)}
    seen: set[int] = set()
    total = 0
    for index, item in enumerate(counted):
        value = item.denomination_fen
        if value not in known or value in seen:
            raise DenominationUnknown(
                Text("{value} fen is no note or coin in circulation, or is named twice", value=value),
                errors=[{"path": f"denominations.{index}.denomination_fen", "message": "unknown or twice"}],
            )
        seen.add(value)
        total += value * item.pieces
    return total


def expected(*, float_fen: int, cash_sales_fen: int, movements: Iterable[int]) -> int:
    """What the drawer should hold; `movements` are signed, refunds and payouts negative."""
    return float_fen + cash_sales_fen + sum(movements)


def signed(kind: Kind, fen: int) -> int:
    """What a movement does to the place it is recorded for."""
    return fen if kind in INCOMING else -fen


def movement_postings(chart: Chart, kind: Kind, fen: int, reason: str | None, day: date) -> list[PostingLine]:
    """The entry of a movement; between drawer and safe there is none: both are 1001. Raises ReasonUnknown.

    Money to and from the bank passes through cash in transit until the bank statement shows it.
    """
    if kind in {Kind.SAFE_DROP, Kind.TOP_UP, Kind.REFUND}:
        return []
    other = "cash_in_transit"
    if kind in {Kind.PAY_IN, Kind.PAYOUT}:
        found = [row for row in reasons(day) if row["kind"] == kind and row["reason"] == reason]
        if not found:
            known = sorted(row["reason"] for row in reasons(day) if row["kind"] == kind)
            raise ReasonUnknown(
                Text("the reason of a {kind} is one of {known}", kind=kind, known=", ".join(known)),
                reasons=known,
            )
        other = found[0]["account"]
    cash = chart.code("cash_on_hand")
    against = chart.code(other)
    if kind in INCOMING:
        return balanced([PostingLine(cash, fen, 0), PostingLine(against, 0, fen)])
    return balanced([PostingLine(against, fen, 0), PostingLine(cash, 0, fen)])


def variance_postings(chart: Chart, variance_fen: int) -> list[PostingLine]:
    """Over: 1001 against 1901; short: the other way round; nothing: no entry."""
    return _moved(chart.code("cash_on_hand"), chart.code("losses_pending"), variance_fen)


def resolution_postings(chart: Chart, variance_fen: int, outcome: Outcome) -> list[PostingLine]:
    """Clear 1901 to where the difference belongs. Raises OutcomeUnfit."""
    if (variance_fen > 0) != (outcome in _OF_SURPLUS):
        raise OutcomeUnfit(
            Text(
                "{outcome} does not fit a variance of {variance_fen} fen",
                outcome=outcome,
                variance_fen=variance_fen,
            )
        )
    return _moved(chart.code("losses_pending"), chart.code(_OUTCOME_ACCOUNTS[outcome]), variance_fen)


def _moved(debit: str, credit: str, fen: int) -> list[PostingLine]:
    if fen < 0:
        debit, credit, fen = credit, debit, -fen
    return balanced([PostingLine(debit, fen, 0), PostingLine(credit, 0, fen)])


def resolver_role(
    variance_fen: int, found_on: date, *, person: str, roles: frozenset[str], involved: Sequence[str]
) -> str:
    """As which post `person` resolves: the store manager up to the limit, the auditor any.

    Raises SamePerson for whoever opened, counted or sold, RoleNotAwaited above the limit.
    """
    if person in involved:
        raise SamePerson("who handled or counted the cash does not resolve its variance")
    awaited = {AUDITOR}
    if abs(variance_fen) <= rule("variance_for_auditor_above", found_on):
        awaited.add(STORE_MANAGER)
    mine = sorted(awaited & roles)
    if not mine:
        raise RoleNotAwaited(
            Text("awaited: {awaited}", awaited=", ".join(sorted(awaited))), awaited=sorted(awaited)
        )
    return mine[-1]


def due_on(calendar: Calendar, found_on: date) -> date | None:
    """The last day to resolve a variance in time; None while the holidays of its year are not announced."""
    return calendar.due_on(found_on, rule("variance_resolution_days", found_on))


def is_on_time(calendar: Calendar, found_on: date, today: date) -> bool:
    """Raises CalendarUnknown where it cannot be known."""
    return calendar.is_within(found_on, today, rule("variance_resolution_days", found_on))


def is_overdue(calendar: Calendar, found_on: date, today: date) -> bool | None:
    """None where it cannot be known yet."""
    return calendar.is_overdue(found_on, today, rule("variance_resolution_days", found_on))
