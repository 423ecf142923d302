"""The only wall clock, the only id maker: instants are UTC, business dates are Asia/Shanghai."""

from datetime import UTC, date, datetime, timedelta
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


CLOCKS_DIFFER_MAX = timedelta(minutes=1)
"""How far the clocks of two of our machines may be apart."""
_YEAR_3000_MS = 32_503_680_000_000


def made_at(some_id: UUID | str) -> datetime | None:
    """When a service of ours made the id, as it tells by itself; None when none of ours makes such ids."""
    try:
        given = some_id if isinstance(some_id, UUID) else UUID(some_id)
    except ValueError:
        return None
    made_ms = given.int >> 80
    if given.version != 7 or made_ms >= _YEAR_3000_MS:
        return None
    return datetime.fromtimestamp(made_ms / 1000, UTC)


def new_id() -> UUID:
    """A UUIDv7: unique, and close in time means close in an index."""
    return compat.uuid7()
