"""The only wall clock, the only id maker: instants are UTC, business dates are Asia/Shanghai."""

from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from uuid_utils import compat

SHANGHAI = ZoneInfo("Asia/Shanghai")


def utc_now() -> datetime:
    return datetime.now(UTC)


def business_date(instant: datetime) -> date:
    """The calendar day in Shanghai at `instant` (which must be aware)."""
    assert instant.tzinfo is not None
    return instant.astimezone(SHANGHAI).date()


def month_of(day: date) -> date:
    """The first day of the month of `day`: how months are named everywhere."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def new_id() -> UUID:
    """A UUIDv7: unique, and close in time means close in an index."""
    return compat.uuid7()
