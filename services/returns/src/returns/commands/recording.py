"""What every command ends with: the notice stored, the change audited, the events recorded."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from returns import events, repository
from returns.domain.allotment import Allotment, Worth
from returns.domain.notice import (
    Line,
    Notice,
    Status,
)
from shared import audit, outbox
from shared.clock import business_date
from shared.events import Event
from shared.money import half_up
from shared.transaction import Tx


def worth_of(line: Line) -> Worth:
    return Worth(net_fen=line.sold_net_fen, tax_fen=line.sold_tax_fen, cost_fen=line.sold_cost_fen)


def hours_between(start: datetime, end: datetime) -> int:
    """Rounded half up; never below 0, also when a server's clock was set back between the two."""
    return max(0, half_up(int((end - start).total_seconds()), 3_600))


def identity(tx: Tx, notice: Notice) -> events.Of:
    return events.Of(
        return_id=str(notice.id),
        branch_id=notice.branch_id,
        version=notice.version,
        day=business_date(tx.now),
    )


def lock_allotments(tx: Tx, notice: Notice) -> dict[tuple[str, str], Allotment]:
    assert notice.sale_id is not None
    return repository.lock_allotments(
        tx, notice.sale_id, {(line.sale_line_id, line.lot): line.sold_quantity for line in notice.lines}
    )


def release_unused(tx: Tx, notice: Notice) -> None:
    """Give back what a notice that has come to its end holds and does not need."""
    assert notice.sale_id is not None
    allotments = lock_allotments(tx, notice)
    for line in notice.lines:
        allotments[line.sale_line_id, line.lot].release(line.unused(notice.status))
    repository.save_allotments(tx, notice.sale_id, allotments.values())


def finish(
    tx: Tx,
    notice: Notice,
    published: Sequence[Event],
    *,
    before: Status | None,
    lines: Iterable[Line] = (),
) -> None:
    """Store the notice, audit the change, record the events."""
    if before is not None:
        repository.save_notice(tx, notice, lines=lines)
    audit.record_all(tx, [change_of(tx, notice, before)])
    outbox.append(tx, *published)


def change_of(tx: Tx, notice: Notice, before: Status | None) -> tuple[Any, ...]:
    """The audit row of what the notice has become."""
    return audit.row_of(
        tx,
        f"return.{notice.status}",
        str(notice.id),
        before=before,
        after={"status": notice.status, "version": notice.version},
    )
