"""What every step ends with, and the archive: the notice stored, the change audited, the events recorded."""

from collections.abc import Iterable, Sequence
from typing import Any

from returns import returnable
from returns.kernel.vocabulary import Fact, Status
from returns.notices import store
from returns.notices.model import Line, Notice, RefundPaid
from shared import audit, outbox
from shared.errors import Conflict
from shared.events import Event
from shared.languages import Text
from shared.transaction import Tx

GIVES_BACK = frozenset({Status.REJECTED, Status.CANCELLED, Status.RECEIPT_REFUSED, Status.NOT_ACCEPTED})
"""Ends of a notice that held quantities, but for its settlement, which releases them itself."""


def _release_unused(tx: Tx, notice: Notice) -> None:
    """Give back what a notice that has come to its end holds and does not need."""
    assert notice.sale_id is not None
    allotments = returnable.lock(tx, notice.sale_id, notice.sold)
    for line in notice.lines:
        allotments[line.sale_line_id, line.lot].release(line.unused(notice.status))
    returnable.save(tx, notice.sale_id, allotments.values())


def finish(
    tx: Tx,
    notice: Notice,
    published: Sequence[Event],
    *,
    before: Status | None,
    lines: Iterable[Line] = (),
) -> None:
    """Store the notice, audit the change, record the events.

    A notice that ends without a settlement gives back what it holds and does not need.
    """
    if notice.status in GIVES_BACK:
        _release_unused(tx, notice)
    if before is not None:
        store.save(tx, notice, lines=lines)
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


class RefundDiffers(Conflict):
    """Finance paid something else than this return was settled for."""

    code = "refund_differs"
    cure = "Tell the operator: finance paid another amount than was settled."


class AlreadyRefunded(Conflict):
    code = "return_already_refunded"
    cure = "Compare both refunds in finance, and discard the event when one of them alone was paid."


def archive_refunded(tx: Tx, refunds: Sequence[RefundPaid]) -> None:
    """Finance has paid: the notices go to the archive with their refunds' ids. A repeat changes nothing.

    Raises ReturnNotFound, StepNotAllowed, RefundDiffers, AlreadyRefunded. Source: R27
    """
    notices = store.lock_all(tx, {refund.return_id for refund in refunds})
    archived: list[tuple[Notice, Status, str]] = []
    for refund in refunds:
        notice = notices[refund.return_id]
        if notice.status is Status.ARCHIVED:
            if notice.refund_id == refund.refund_id:
                continue
            raise AlreadyRefunded(
                Text(
                    "return {number} was refunded by {refund_id}",
                    number=notice.number,
                    refund_id=notice.refund_id,
                )
            )
        notice.require(Fact.ARCHIVED)
        if notice.refund_fen != refund.total_fen:
            raise RefundDiffers(
                Text(
                    "return {number} was settled for {refund_fen} fen, {total_fen} were paid",
                    number=notice.number,
                    refund_fen=notice.refund_fen,
                    total_fen=refund.total_fen,
                )
            )
        before = notice.happen(Fact.ARCHIVED, Status.ARCHIVED)
        notice.refund_id = refund.refund_id
        archived.append((notice, before, refund.refund_id))
    if not archived:
        return
    store.save_archived(tx, [notice for notice, _, _ in archived])
    store.add_histories(
        tx, [(notice, Fact.ARCHIVED, before, {"refund_id": by}) for notice, before, by in archived]
    )
    audit.record_all(tx, [change_of(tx, notice, before) for notice, before, _ in archived])
