"""Closing a month, and locking it.

Open months always follow closed ones: a month made before a closed month is born closed.
Source: F1, F2, G29, model 3.2, I27
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta

from finance import balances, periods
from finance.book import BOOK, book_of
from finance.closing.commands.conditions import (
    CONDITIONS,
    require_earlier_closed,
    require_heard,
)
from finance.closing.events import period_closed, period_locked
from finance.closing.store import is_passed_over
from finance.kernel.company import require_company
from finance.kernel.period import (
    Period,
    PeriodNotClosed,
    PeriodNotOpen,
    PeriodState,
    SourcesBehind,
    late_days,
    month_text,
    require_over,
)
from finance.periods import period_of
from shared import audit, outbox
from shared.approvals import SamePerson
from shared.clock import business_date, next_month
from shared.completeness import PATIENCE_S, Hearing, Obstacle, count_own
from shared.errors import DomainError
from shared.languages import Text
from shared.transaction import Tx

Hear = Callable[[date, date, float], Hearing]
"""`hear(first, last, patience_s)`: whether all is here that others have to tell of these days (shared.completeness)."""


def close_period(tx: Tx, month: date, hear: Hear) -> Period:
    """Open → soft_closed: over by the calendar, all earlier months closed, no draft, all of it sealed, every check.

    What the month's sales set off elsewhere has come back before: points earned and taken back, returns settled. It is
    waited for without holding anybody up, up to PATIENCE_S. Then the month is held alone: nothing was written to it
    since. Proves that the folded sums are those of the lines, and carries every balance forward. Waits for tills that
    are writing to the month. A late closing is recorded in days, never refused. A month without any entry closes
    as well: it is made when it is closed, and is born closed before one that is.
    Raises PeriodNotOver, PeriodUnknown, PeriodNotOpen, SourcesBehind, SourcesUnreachable, EarlierPeriodOpen,
    DraftsPending, YearNotTransferred, JournalNotSealed, JournalUnbalanced, CompanyNotCovered, and what the areas'
    checks raise.
    """
    require_company(tx.actor)
    require_over(month, business_date(tx.now))
    is_empty = is_passed_over(tx, month)
    if is_empty:
        periods.ensure_month(tx.conn, month)
    else:
        _require_open(period_of(tx, month))
        require_earlier_closed(tx.conn, month)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        hearing = hear(month, _last_day(month), max(0.0, deadline - time.monotonic()))
        require_heard(hearing, month)
        try:
            # giving up the savepoint gives up the hold on the month, so that what was written can settle
            with tx.conn.begin_nested():
                periods.hold_month_alone(tx.conn, month)
                _require_still(tx, month, hearing)
                return _close(tx, month, is_empty=is_empty)
        except SourcesBehind:
            if time.monotonic() >= deadline:
                raise


def _close(tx: Tx, month: date, *, is_empty: bool) -> Period:
    """The month is held alone, and all that belongs into it is here."""
    period = period_of(tx, month, lock=True)
    if is_empty and period.state != PeriodState.OPEN:
        audit.record(tx, "period.close", month_text(month), after=asdict(period))
        return period
    _require_open(period)
    for require in CONDITIONS:
        require(tx.conn, month)
    balances.carry(tx.conn, month)
    # A month of before the books has nothing that anybody could have closed in time.
    late = late_days(month, business_date(tx.now)) if next_month(month) > book_of(tx.conn).begins_on else 0
    periods.move(
        tx.conn, month, state=PeriodState.SOFT_CLOSED, closed_by=tx.actor.id, closed_at=tx.now, late_days=late
    )
    closed = period_of(tx, month)
    outbox.append(
        tx,
        period_closed(book=BOOK, month=month_text(month), version=closed.version, day=_last_day(month)),
    )
    audit.record(tx, "period.close", month_text(month), before=asdict(period), after=asdict(closed))
    return closed


def _last_day(month: date) -> date:
    return next_month(month) - timedelta(days=1)


def _require_open(period: Period) -> None:
    if period.state != PeriodState.OPEN:
        raise PeriodNotOpen(Text("{month} is {state}", month=month_text(period.month), state=period.state))


def _require_still(tx: Tx, month: date, hearing: Hearing) -> None:
    """Nothing was written to the month since all of it was heard. The month is held alone."""
    found = count_own(tx.conn, month, _last_day(month))
    if found != hearing.own_events:
        moved = Obstacle(source="finance", reason="still_written", expected=hearing.own_events, found=found)
        require_heard(Hearing(obstacles=[moved], own_events=found), month)


def obstacles(tx: Tx, month: date, hear: Hear) -> tuple[Period | None, list[DomainError]]:
    """The month, if anything was ever booked to it, and what its closing would be refused with now, one after the other.

    Without any it closes, unless something comes between. Raises PeriodUnknown, CompanyNotCovered.
    """
    require_company(tx.actor)
    period = None if is_passed_over(tx, month) else period_of(tx, month)
    if period is not None and period.state != PeriodState.OPEN:
        return period, []
    today, hearing = business_date(tx.now), hear(month, _last_day(month), 0.0)
    found = []
    for require in (
        lambda _, each: require_over(each, today),
        lambda _, each: require_heard(hearing, each),
        *CONDITIONS,
    ):
        try:
            require(tx.conn, month)
        except DomainError as refusal:
            found.append(refusal)
    return period, found


def lock_period(tx: Tx, month: date) -> Period:
    """soft_closed → locked, for ever, by another person than who closed it.

    Raises PeriodNotClosed, SamePerson, CompanyNotCovered.
    """
    require_company(tx.actor)
    period = period_of(tx, month, lock=True)
    if period.state != PeriodState.SOFT_CLOSED:
        raise PeriodNotClosed(Text("{month} is {state}", month=month_text(month), state=period.state))
    if period.closed_by == tx.actor.id:
        raise SamePerson("who closed the month does not lock it")
    periods.move(tx.conn, month, state=PeriodState.LOCKED, locked_by=tx.actor.id, locked_at=tx.now)
    locked = period_of(tx, month)
    outbox.append(
        tx,
        period_locked(book=BOOK, month=month_text(month), version=locked.version, day=business_date(tx.now)),
    )
    audit.record(tx, "period.lock", month_text(month), before=asdict(period), after=asdict(locked))
    return locked
