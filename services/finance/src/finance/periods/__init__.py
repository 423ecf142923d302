"""Months: made, held open, held alone, and the state each is in."""

from finance.periods import tables
from finance.periods.jobs import JOBS
from finance.periods.store import (
    OPEN_FROM,
    PERIODS,
    booking_days,
    ensure_month,
    hold_month_alone,
    hold_months,
    move,
    open_before,
    period_of,
    period_state,
)
from shared.areas import Area

AREA = Area(tables=tables, jobs=JOBS)

__all__ = [
    "AREA",
    "OPEN_FROM",
    "PERIODS",
    "booking_days",
    "ensure_month",
    "hold_month_alone",
    "hold_months",
    "move",
    "open_before",
    "period_of",
    "period_state",
]
