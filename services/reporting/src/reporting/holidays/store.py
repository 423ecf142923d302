"""The statements that change notices of holidays; all within the caller's transaction."""

from uuid import UUID

from sqlalchemy import func, insert, select, text, update

from reporting.holidays.model import HolidayNoticePending, HolidayNoticeUnknown, Notice
from reporting.holidays.tables import holiday_notices
from shared.approvals import Decision
from shared.transaction import Tx

_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended('reporting:holidays', 0))")
_FIELDS = Notice.__struct_fields__


def add(tx: Tx, notice: Notice) -> None:
    """Raises HolidayNoticePending."""
    tx.conn.execute(_ONE_AT_A_TIME)
    pending = select(holiday_notices.c.id).where(
        holiday_notices.c.reference == notice.reference, holiday_notices.c.state == "pending"
    )
    if tx.conn.execute(pending).first():
        raise HolidayNoticePending("a notice of that reference waits for its decision")
    values = {name: getattr(notice, name) for name in _FIELDS}
    tx.conn.execute(insert(holiday_notices).values(**values, state="pending", entered_at=tx.now))


def lock(tx: Tx, notice_id: UUID) -> Notice:
    """The notice; nobody else enters or decides until the transaction ends. Raises HolidayNoticeUnknown."""
    tx.conn.execute(_ONE_AT_A_TIME)
    wanted = select(*(holiday_notices.c[name] for name in _FIELDS)).where(holiday_notices.c.id == notice_id)
    row = tx.conn.execute(wanted).mappings().one_or_none()
    if row is None:
        raise HolidayNoticeUnknown("no such notice of holidays")
    return Notice(**row)


def approve(tx: Tx, notice: Notice, decision: Decision) -> int:
    """Give it its number: one more than the newest, so that it counts before all others."""
    newest = tx.conn.execute(select(func.coalesce(func.max(holiday_notices.c.number), 0))).scalar_one()
    _end(tx, notice, decision, state="approved", number=newest + 1)
    return int(newest) + 1


def reject(tx: Tx, notice: Notice, decision: Decision) -> None:
    _end(tx, notice, decision, state="rejected", number=None)


def _end(tx: Tx, notice: Notice, decision: Decision, *, state: str, number: int | None) -> None:
    tx.conn.execute(
        update(holiday_notices)
        .where(holiday_notices.c.id == notice.id)
        .values(
            state=state,
            number=number,
            decided_by=decision.person,
            decided_at=decision.at,
            decided_reason=decision.reason,
        )
    )
