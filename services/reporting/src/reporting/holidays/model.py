"""A notice of holidays, and what may be refused about it."""

from datetime import date
from uuid import UUID

import msgspec

from shared.errors import Conflict, NotFound


class HolidayNoticeUnknown(NotFound):
    code = "holiday_notice_unknown"
    cure = "Look it up in the list of notices of holidays."


class HolidayNoticePending(Conflict):
    """A notice of the same reference waits for its decision."""

    code = "holiday_notice_pending"
    cure = "Decide on the one that waits; reject it if it was entered wrongly."


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """`reference` is the number under which it was announced; `year` the one whose whole table it tells, if it does."""

    id: UUID
    reference: str
    announced_on: date
    year: int | None
    rest_days: list[date]
    workdays: list[date]
    entered_by: str
