"""Fix what accepted goods are worth, and archive the notice when finance has paid."""

from collections.abc import Sequence
from uuid import UUID

from returns import events, repository
from returns.commands.recording import change_of, finish, identity, lock_allotments, worth_of
from returns.domain.notice import (
    Fact,
    LineStatus,
    Notice,
    Status,
)
from returns.subscriptions import RefundPaid
from returns.tables import return_decisions
from shared import audit
from shared.approvals import decisions_on
from shared.errors import Conflict, Forbidden
from shared.languages import Text
from shared.transaction import Tx


class RefundDiffers(Conflict):
    """Finance paid something else than this return was settled for."""

    code = "refund_differs"


class AlreadyRefunded(Conflict):
    code = "return_already_refunded"


class HandlerMayNotSettle(Forbidden):
    """Who approved, received or inspected the goods does not also fix what is paid for them."""

    code = "handler_may_not_settle"


def settle_return(tx: Tx, notice_id: UUID) -> None:
    """Fix what the accepted goods are worth and tell finance to refund it. Raises StepNotAllowed,
    HandlerMayNotSettle.

    Several partial returns of a line sum exactly to the line. Approver, handler, keeper and recorder of one matter
    are different persons. Source: R16, model 3.0 (segregation of duties), model 3.4 (9), I9 I10
    """
    notice = repository.lock_notice(tx, notice_id)
    notice.require(Fact.SETTLED)
    handled = {notice.received_by, *(line.inspected_by for line in notice.lines)}
    if tx.actor.id in handled | {
        each.person for each in decisions_on(tx.conn, return_decisions, {"notice_id": notice_id})
    }:
        raise HandlerMayNotSettle("who approved, received or inspected the goods may not settle the return")
    before = notice.happen(Fact.SETTLED, Status.SETTLED)
    assert notice.sale_id is not None
    allotments = lock_allotments(tx, notice)
    told: list[events.SettledLine] = []
    for line in notice.accepted:
        worth = allotments[line.sale_line_id, line.lot].settle(line.accepted_quantity, worth_of(line))
        line.net_fen, line.tax_fen, line.cost_fen = worth.net_fen, worth.tax_fen, worth.cost_fen
        line.status = LineStatus.SETTLED
        assert line.disposition is not None, "accepted goods have their disposition"
        told.append(
            {
                "return_line_id": str(line.id),
                "sale_line_id": line.sale_line_id,
                "lot": line.lot,
                "quantity": line.accepted_quantity,
                "disposition": line.disposition,
                "net_fen": worth.net_fen,
                "tax_fen": worth.tax_fen,
                "cost_fen": worth.cost_fen,
            }
        )
    for line in notice.lines:
        allotments[line.sale_line_id, line.lot].release(line.unused(notice.status))
    repository.save_allotments(tx, notice.sale_id, allotments.values())
    event = events.settled(
        identity(tx, notice),
        number=notice.number,
        sale_id=notice.sale_id,
        customer_id=notice.customer_id,
        reason=notice.reason,
        lines=told,
    )
    notice.refund_fen = event.amount_fen
    repository.add_history(
        tx, notice, Fact.SETTLED, before=before, detail={"refund_fen": notice.refund_fen, "lines": told}
    )
    finish(tx, notice, [event], before=before, lines=notice.lines)


def archive_refunded(tx: Tx, refunds: Sequence[RefundPaid]) -> None:
    """Finance has paid: the notices go to the archive with their refunds' ids. A repeat changes nothing.

    Raises ReturnNotFound, StepNotAllowed, RefundDiffers, AlreadyRefunded. Source: R27
    """
    notices = repository.lock_notices(tx, {refund.return_id for refund in refunds})
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
    repository.save_archived(tx, [notice for notice, _, _ in archived])
    repository.add_histories(
        tx, [(notice, Fact.ARCHIVED, before, {"refund_id": by}) for notice, before, by in archived]
    )
    audit.record_all(tx, [change_of(tx, notice, before) for notice, before, _ in archived])
