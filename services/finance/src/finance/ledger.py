"""What the books say: trial balance, journal, periods and their closing.

Open months always follow closed ones: a month made before a closed month is born closed.
Source: F1, F2, G29, model 3.2, I27
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, text

from finance import balances, repository
from finance.booking import BOOK, book_of
from finance.events import period_closed, period_locked
from finance.kernel.company import require_company
from finance.kernel.period import (
    EarlierPeriodOpen,
    JournalNotSealed,
    JournalUnbalanced,
    PeriodNotClosed,
    PeriodNotOpen,
    PeriodState,
    PeriodUnknown,
    SourcesBehind,
    SourcesUnreachable,
    YearNotTransferred,
    late_days,
    month_text,
    require_over,
)
from shared import audit, outbox
from shared.approvals import SamePerson
from shared.clock import business_date, next_month
from shared.completeness import PATIENCE_S, Hearing, Obstacle, count_own
from shared.errors import DomainError
from shared.languages import Text
from shared.paging import decode_cursor, page
from shared.transaction import Tx

DECEMBER = 12
first_checks: list[Callable[[Connection, date], None]] = []
"""What is asked before the journal is looked at: that no voucher waits."""
closing_checks: list[Callable[[Connection, date], None]] = []
"""What areas ask before a month may close, such as counted drawers; each raises its refusal. `app` names them."""
proofs: list[Callable[[Connection, date], None]] = []
"""Those of them that set a sub-ledger against its control account. They hold at every instant."""


def sums(tx: Tx, first: date, until: date, branches: Sequence[str] | None) -> dict[str, tuple[int, int]]:
    """Debits and credits per account of the months from `first` to before `until`, in fen; branches None means all."""
    moved = balances.accounts(tx.conn, first, until, branches, opening=False, transfers=False)
    return {code: (each.debit_fen, each.credit_fen) for code, each in moved.items()}


def trial_balance(tx: Tx, month: date, branch_id: str | None) -> dict[str, Any]:
    """Opening, movement and closing of every account that moved. Raises PeriodUnknown, ForeignBranch."""
    branches = tx.actor.branch_filter(branch_id)
    state = period_of(tx, month)["state"]
    moved = balances.accounts(tx.conn, month, next_month(month), branches)
    chart = book_of(tx.conn).chart
    rows = [
        {
            "account": code,
            "zh": chart.by_code[code].zh,
            "en": chart.by_code[code].en,
            "opening_fen": each.opening_fen,
            "debit_fen": each.debit_fen,
            "credit_fen": each.credit_fen,
            "closing_fen": each.closing_fen,
        }
        for code, each in sorted(moved.items())
    ]
    return {
        "month": month_text(month),
        "branch_id": branch_id,
        "state": state,
        "rows": rows,
        "debit_fen": sum(row["debit_fen"] for row in rows),
        "credit_fen": sum(row["credit_fen"] for row in rows),
    }


def entries(tx: Tx, month: date, args: Mapping[str, Any]) -> dict[str, Any]:
    """The journal of a month, entries in the order they were written. Keyset by id."""
    (after,) = decode_cursor(args["cursor"], int)
    span = {"first": month, "until": next_month(month)}
    found = tx.conn.execute(
        text(
            "select id, chain_no as voucher_no, booked_on, branch_id, kind, source_id, total_fen, reference, actor,"
            " recorded_at from journal_entries where booked_on >= :first and booked_on < :until and id > :after"
            " and (cast(:branches as text[]) is null or branch_id = any(:branches)) order by id limit :limit"
        ),
        {
            **span,
            "after": after or 0,
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "limit": args["limit"] + 1,
        },
    ).mappings()
    shown = page(({**row, "lines": []} for row in found), args["limit"], "id")
    by_id = {entry["id"]: entry for entry in shown["items"]}
    lines = tx.conn.execute(
        text(
            "select entry_id, account, customer_id, debit_fen, credit_fen from journal_lines"
            " where booked_on >= :first and booked_on < :until and entry_id = any(:ids) order by entry_id, no"
        ),
        {**span, "ids": list(by_id)},
    ).mappings()
    for line in lines:
        by_id[line["entry_id"]]["lines"].append(dict(line))
    return shown


# --- periods ----------------------------------------------------------------------------------------


def period_of(tx: Tx, month: date, *, lock: bool = False) -> dict[str, Any]:
    """Raises PeriodUnknown."""
    row = (
        tx.conn.execute(
            text("select * from periods where month = :month" + (" for update" if lock else "")),
            {"month": month},
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise PeriodUnknown(Text("nothing was ever booked to {month}", month=month_text(month)))
    return dict(row)


def require_period(tx: Tx, month: date) -> None:
    """Raises PeriodUnknown."""
    period_of(tx, month)


def view(period: Mapping[str, Any]) -> dict[str, Any]:
    return {**period, "month": month_text(period["month"])}


def periods(tx: Tx) -> list[dict[str, Any]]:
    """Every month that has something, oldest first: a dozen a year."""
    rows = tx.conn.execute(text("select * from periods order by month limit 1200")).mappings()
    return [view(dict(row)) for row in rows]


Hear = Callable[[date, date, float], Hearing]
"""`hear(first, last, patience_s)`: whether all is here that others have to tell of these days (shared.completeness)."""


def close_period(tx: Tx, month: date, hear: Hear) -> dict[str, Any]:
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
    is_empty = _is_passed_over(tx, month)
    if is_empty:
        repository.ensure_month(tx.conn, month)
    else:
        _require_open(period_of(tx, month))
        _require_earlier_closed(tx, {"month": month})
    deadline = time.monotonic() + PATIENCE_S
    while True:
        hearing = hear(month, _last_day(month), max(0.0, deadline - time.monotonic()))
        require_heard(hearing, month)
        try:
            # giving up the savepoint gives up the hold on the month, so that what was written can settle
            with tx.conn.begin_nested():
                repository.hold_month_alone(tx.conn, month)
                _require_still(tx, month, hearing)
                return {**_close(tx, month, is_empty=is_empty), "warnings": warnings(tx, month)}
        except SourcesBehind:
            if time.monotonic() >= deadline:
                raise


def _close(tx: Tx, month: date, *, is_empty: bool) -> dict[str, Any]:
    """The month is held alone, and all that belongs into it is here."""
    period = period_of(tx, month, lock=True)
    if is_empty and period["state"] != PeriodState.OPEN:
        audit.record(tx, "period.close", month_text(month), after=period)
        return view(period)
    _require_open(period)
    for require in _conditions(tx, month):
        require()
    tx.conn.execute(text(_CARRY), {"month": month})
    # A month of before the books has nothing that anybody could have closed in time.
    late = late_days(month, business_date(tx.now)) if next_month(month) > book_of(tx.conn).begins_on else 0
    tx.conn.execute(
        text(
            "update periods set state = 'soft_closed', version = version + 1, closed_by = :person, closed_at = :now,"
            " late_days = :late where month = :month"
        ),
        {"month": month, "person": tx.actor.id, "now": tx.now, "late": late},
    )
    closed = period_of(tx, month)
    outbox.append(
        tx,
        period_closed(book=BOOK, month=month_text(month), version=closed["version"], day=_last_day(month)),
    )
    audit.record(tx, "period.close", month_text(month), before=period, after=closed)
    return view(closed)


def _last_day(month: date) -> date:
    return next_month(month) - timedelta(days=1)


def _require_open(period: Mapping[str, Any]) -> None:
    if period["state"] != PeriodState.OPEN:
        raise PeriodNotOpen(
            Text("{month} is {state}", month=month_text(period["month"]), state=period["state"])
        )


def require_heard(hearing: Hearing, month: date) -> None:
    """Raises SourcesUnreachable when one cannot be asked, else SourcesBehind when something is on its way."""
    if not hearing.obstacles:
        return
    named = [each.as_json() for each in hearing.obstacles]
    away = [each for each in hearing.obstacles if each.reason == "source_unreachable"]
    if away:
        raise SourcesUnreachable(
            Text(
                "{month} cannot be closed: whether {source} has told everything is not known",
                month=month_text(month),
                source=away[0].source,
            ),
            obstacles=named,
            retry_after_s=5,
        )
    first = hearing.obstacles[0]
    raise SourcesBehind(
        Text(
            "facts of {month} are still on their way: {source} {reason}, at {found} of {expected}",
            month=month_text(month),
            source=first.source,
            reason=first.reason,
            found=first.found,
            expected=first.expected,
        ),
        obstacles=named,
    )


def _require_still(tx: Tx, month: date, hearing: Hearing) -> None:
    """Nothing was written to the month since all of it was heard. The month is held alone."""
    found = count_own(tx.conn, month, _last_day(month))
    if found != hearing.own_events:
        moved = Obstacle(source="finance", reason="still_written", expected=hearing.own_events, found=found)
        require_heard(Hearing(obstacles=[moved], own_events=found), month)


def _is_passed_over(tx: Tx, month: date) -> bool:
    """Nothing was ever booked to it, but to months before it."""
    first = tx.conn.execute(
        text("select min(month) from periods having not bool_or(month = :month)"), {"month": month}
    ).scalar_one_or_none()
    return first is not None and first < month


def _conditions(tx: Tx, month: date) -> Iterator[Callable[[], None]]:
    """What the closing of a month that is over asks for, one after the other; each raises its refusal."""
    span = {"month": month, "until": next_month(month)}
    yield partial(_require_earlier_closed, tx, span)
    for check in first_checks:
        yield partial(check, tx.conn, month)
    yield partial(_require_sealed_and_balanced, tx, span)
    for check in closing_checks:
        yield partial(check, tx.conn, month)
    if month.month == DECEMBER:
        yield partial(_require_transferred, tx, next_month(month))


def obstacles(tx: Tx, month: date, hear: Hear) -> dict[str, Any]:
    """Everything that stands in the way of closing a month now, by the code its closing would answer with.

    Empty: it closes, unless something comes between. Raises PeriodUnknown, CompanyNotCovered.
    """
    require_company(tx.actor)
    period: Mapping[str, Any] = {"month": month, "state": PeriodState.OPEN}
    if not _is_passed_over(tx, month):
        period = period_of(tx, month)
    found = []
    if period["state"] == PeriodState.OPEN:
        is_over: Callable[[], None] = partial(require_over, month, business_date(tx.now))
        is_heard = partial(require_heard, hear(month, _last_day(month), 0.0), month)
        checks: list[Callable[[], None]] = [is_over, is_heard, *_conditions(tx, month)]
        for require in checks:
            try:
                require()
            except DomainError as refusal:
                found.append({"code": refusal.code, "detail": refusal.detail, "about": refusal.context})
    return {
        **view(period),
        "closes_from": next_month(month),
        "obstacles": found,
        "warnings": warnings(tx, month),
    }


def warnings(tx: Tx, month: date) -> list[dict[str, Any]]:
    """What the books say that cannot be, and yet stops no closing: goods that were sold and never bought."""
    inventory = book_of(tx.conn).chart.code("inventory")
    negative = {
        branch: fen
        for branch, held in balances.closings_by_branch(tx.conn, next_month(month)).items()
        if (fen := held.get(inventory, 0)) < 0
    }
    if not negative:
        return []
    return [
        {
            "code": "inventory_negative",
            "detail": f"more was sold of account {inventory} than was bought: purchases are missing",
            "about": {
                "account": inventory,
                "branches": [{"branch_id": branch, "fen": fen} for branch, fen in sorted(negative.items())],
            },
        }
    ]


def _require_earlier_closed(tx: Tx, span: Mapping[str, date]) -> None:
    earlier = tx.conn.execute(
        text("select min(month) from periods where state = 'open' and month < :month"), span
    ).scalar_one()
    if earlier is not None:
        raise EarlierPeriodOpen(
            Text("close {month} first", month=month_text(earlier)), month=month_text(earlier)
        )


def _require_transferred(tx: Tx, until: date) -> None:
    by_code = book_of(tx.conn).chart.by_code
    left = [
        code
        for code, moved in balances.accounts(tx.conn, until, until, None).items()
        if moved.opening_fen and by_code[code].type in {"income", "expense"}
    ]
    if left:
        raise YearNotTransferred("transfer the year's profit first", accounts=sorted(left))


_LINES_DIFFER = """
with lines as (
    select account, branch_id, sum(debit_fen) as debit_fen, sum(credit_fen) as credit_fen from journal_lines
    where booked_on >= :month and booked_on < :until group by account, branch_id
), folded as (
    select account, branch_id, sum(debit_fen) as debit_fen, sum(credit_fen) as credit_fen from running_balances
    where month = :month group by account, branch_id
)
select
    (select count(*) from lines full join folded using (account, branch_id)
     where (lines.debit_fen, lines.credit_fen) is distinct from (folded.debit_fen, folded.credit_fen)),
    (select coalesce(sum(debit_fen) - sum(credit_fen), 0) from lines)
"""
_CARRY = """
insert into period_balances (month, account, branch_id, debit_fen, credit_fen, closing_fen)
select :month, account, branch_id, sum(debit_fen), sum(credit_fen), sum(opening_fen + debit_fen - credit_fen)
from (
    select account, branch_id, closing_fen as opening_fen, 0 as debit_fen, 0 as credit_fen from period_balances
    where month = (select max(month) from period_balances where month < :month)
    union all
    select account, branch_id, 0, debit_fen, credit_fen from running_balances where month = :month
) parts group by account, branch_id
"""


def _require_sealed_and_balanced(tx: Tx, span: Mapping[str, date]) -> None:
    _require_sealed(tx, span)
    differing, imbalance = tx.conn.execute(text(_LINES_DIFFER), span).one()
    if differing or imbalance:
        raise JournalUnbalanced(
            "the month's lines do not balance, or differ from its sums",
            differing=differing,
            imbalance_fen=int(imbalance),
        )


def _require_sealed(tx: Tx, span: Mapping[str, date]) -> None:
    unsealed = tx.conn.execute(
        text(
            "select 1 from journal_entries where booked_on >= :month and booked_on < :until"
            " and chain_no is null limit 1"
        ),
        span,
    ).first()
    if unsealed is not None:
        raise JournalNotSealed("vouchers of the month are still being numbered", retry_after_s=2)


def lock_period(tx: Tx, month: date) -> dict[str, Any]:
    """soft_closed → locked, for ever, by another person than who closed it.

    Raises PeriodNotClosed, SamePerson, CompanyNotCovered.
    """
    require_company(tx.actor)
    period = period_of(tx, month, lock=True)
    if period["state"] != PeriodState.SOFT_CLOSED:
        raise PeriodNotClosed(Text("{month} is {state}", month=month_text(month), state=period["state"]))
    if period["closed_by"] == tx.actor.id:
        raise SamePerson("who closed the month does not lock it")
    tx.conn.execute(
        text(
            "update periods set state = 'locked', version = version + 1, locked_by = :person, locked_at = :now"
            " where month = :month"
        ),
        {"month": month, "person": tx.actor.id, "now": tx.now},
    )
    locked = period_of(tx, month)
    outbox.append(
        tx,
        period_locked(
            book=BOOK, month=month_text(month), version=locked["version"], day=business_date(tx.now)
        ),
    )
    audit.record(tx, "period.lock", month_text(month), before=period, after=locked)
    return view(locked)
