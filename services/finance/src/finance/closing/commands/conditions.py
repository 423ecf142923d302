"""What the closing of a month asks for, in order."""

from collections.abc import Callable
from datetime import date

from sqlalchemy import Connection

from finance import (
    balances,
    bank_matching,
    cash,
    costs,
    periods,
    points,
    receivables,
    refunds,
    spendings,
    vouchers,
)
from finance.book import book_of
from finance.kernel.period import (
    EarlierPeriodOpen,
    SourcesBehind,
    SourcesUnreachable,
    YearNotTransferred,
    month_text,
)
from shared.clock import next_month
from shared.completeness import Hearing
from shared.languages import Text

DECEMBER = 12


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
    if first.reason == "untold":
        raise SourcesBehind(
            Text(
                "facts of {month} are still being told: {job} has not ended",
                month=month_text(month),
                job=first.type,
            ),
            obstacles=named,
            retry_after_s=30,
        )
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


def require_earlier_closed(conn: Connection, month: date) -> None:
    """Raises EarlierPeriodOpen."""
    earlier = periods.open_before(conn, month)
    if earlier is not None:
        raise EarlierPeriodOpen(
            Text("close {month} first", month=month_text(earlier)), month=month_text(earlier)
        )


def require_transferred(conn: Connection, month: date) -> None:
    """December closes when income and expense are empty. Raises YearNotTransferred."""
    if month.month != DECEMBER:
        return
    until = next_month(month)
    by_code = book_of(conn).chart.by_code
    left = [
        code
        for code, moved in balances.accounts(conn, until, until, None).items()
        if moved.opening_fen and by_code[code].type in {"income", "expense"}
    ]
    if left:
        raise YearNotTransferred("transfer the year's profit first", accounts=sorted(left))


Condition = Callable[[Connection, date], None]
PROOFS: tuple[Condition, ...] = (
    receivables.require_agreement,
    refunds.require_agreement,
    points.require_tied,
    spendings.require_tied,
)
"""They set a sub-ledger against its control account, and hold at every instant."""
CONDITIONS: tuple[Condition, ...] = (
    require_earlier_closed,
    vouchers.require_decided,
    balances.require_agreement,
    cash.require_sessions_closed,
    bank_matching.require_reconciled,
    *PROOFS,
    costs.require_costed,
    require_transferred,
)
"""What is asked before a month that is over may close, in this order; each raises its refusal."""
