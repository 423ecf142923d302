"""What is read of notices of holidays, and the calendar that they make."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from reporting.holidays.model import HolidayNoticeUnknown
from reporting.holidays.tables import holiday_notices
from shared import holidays
from shared.calendar import Calendar, CalendarUnknown
from shared.paging import newest_first
from shared.transaction import Tx


def list_notices(tx: Tx, filters: Mapping[str, Any]) -> dict[str, Any]:
    """A page of notices, the newest first."""
    wanted = select(holiday_notices)
    for name in ("state", "year"):
        if filters.get(name) is not None:
            wanted = wanted.where(holiday_notices.c[name] == filters[name])
    return newest_first(tx, wanted, holiday_notices.c.id, filters)


def get_notice(tx: Tx, notice_id: UUID) -> dict[str, Any]:
    """Raises HolidayNoticeUnknown."""
    found = tx.conn.execute(select(holiday_notices).where(holiday_notices.c.id == notice_id))
    row = found.mappings().one_or_none()
    if row is None:
        raise HolidayNoticeUnknown("no such notice of holidays")
    return dict(row)


def days(tx: Tx, first: date, until: date) -> list[dict[str, Any]]:
    """Every day from `first` to `until`: whether it is worked, None where nobody announced it; and what tells so."""
    calendar = holidays.calendar(tx.conn)
    span = [first + timedelta(days=offset) for offset in range((until - first).days + 1)]
    return [{"day": day, "is_workday": _is_workday(calendar, day)} for day in span]


def _is_workday(calendar: Calendar, day: date) -> bool | None:
    try:
        return calendar.is_workday(day)
    except CalendarUnknown:
        return None
