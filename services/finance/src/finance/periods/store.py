"""Months: made when they are needed, held open while something is booked to them, held alone to be closed."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, text, update

from finance.kernel.period import Period, PeriodClosed, PeriodState, PeriodUnknown, month_text
from finance.periods.tables import periods
from shared.clock import business_date, month_of
from shared.database import driver_of
from shared.languages import Text
from shared.partitions import make_months
from shared.transaction import Tx

PERIOD_LOCK = 7101
"""First key of the advisory locks of months: writers share it, closing a month takes it alone."""


def _month_key(day: date) -> int:
    return day.year * 100 + day.month


def ensure_month(conn: Connection, day: date) -> None:
    """Make the partitions and the open period of the month of `day`; they stay, whatever becomes of the caller.

    A month that exists stays as it is. The caller sees the month once it holds it.
    """
    make_months(conn, [month_of(day)])


def hold_months(conn: Connection, days: Sequence[date]) -> dict[date, str]:
    """Make the months that are missing, keep all from closing until the transaction ends, and say their states."""
    months = sorted({month_of(day) for day in days})
    states = _held(conn, months)
    missing = [month for month in months if states[month] is None]
    if missing:
        make_months(conn, missing)
        states |= _held(conn, missing)
    return {month: state for month, state in states.items() if state is not None}


def _held(conn: Connection, months: Sequence[date]) -> dict[date, str | None]:
    with driver_of(conn) as driver:
        rows = driver.execute(
            "select month, hold_month(month) from unnest(%s::date[]) as month", (list(months),), prepare=True
        ).fetchall()
    return dict(rows)


def booking_days(tx: Tx, wanted: Collection[date]) -> dict[date, tuple[date, str | None]]:
    """The day of each fact while its month is open, else today with a reference; the months stay open. Raises PeriodClosed."""
    today = business_date(tx.now)
    states = hold_months(tx.conn, [*wanted, today])
    found: dict[date, tuple[date, str | None]] = {}
    for day in wanted:
        if states[month_of(day)] == PeriodState.OPEN:
            found[day] = day, None
        elif states[month_of(today)] == PeriodState.OPEN:
            found[day] = today, f"late:{day:%Y-%m}"
        else:
            raise PeriodClosed("no open period to book to")
    return found


def hold_month_alone(conn: Connection, month: date) -> None:
    """Wait until no writer of the month is left, and let none begin, until the transaction ends."""
    conn.exec_driver_sql(
        "select pg_advisory_xact_lock(%s, %s), see_month(%s)", (PERIOD_LOCK, _month_key(month), month)
    )


OPEN_FROM = "(select min(month) from periods where state = 'open')"
"""SQL: the first open month; all after it are open too."""


def move(conn: Connection, month: date, **values: Any) -> None:
    """Change the state of a month, and count its version."""
    conn.execute(
        update(periods).where(periods.c.month == month).values(version=periods.c.version + 1, **values)
    )


def period_of(tx: Tx, month: date, *, lock: bool = False) -> Period:
    """Raises PeriodUnknown."""
    row = tx.conn.execute(
        text("select * from periods where month = :month" + (" for update" if lock else "")),
        {"month": month},
    ).one_or_none()
    if row is None:
        raise PeriodUnknown(Text("nothing was ever booked to {month}", month=month_text(month)))
    return Period(**row._asdict())


PERIODS = "(select month, state, version, closed_by, closed_at, locked_by, locked_at, late_days from periods)"
"""Each month that has something."""


def period_state(conn: Connection, month: date) -> str | None:
    """The state of a month; None of one that nothing was ever booked to."""
    state: str | None = conn.execute(
        text("select state from periods where month = :month"), {"month": month}
    ).scalar_one_or_none()
    return state


def open_before(conn: Connection, month: date) -> date | None:
    """The first month before this one that is still open."""
    found: date | None = conn.execute(
        text("select min(month) from periods where state = 'open' and month < :month"), {"month": month}
    ).scalar_one()
    return found
