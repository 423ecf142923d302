"""Fix what accepted goods are worth."""

from uuid import UUID

from returns import approvals, notices, returnable
from returns.kernel.vocabulary import Fact, LineStatus, Status
from returns.settlement import events
from shared.errors import Forbidden
from shared.transaction import Tx


class HandlerMayNotSettle(Forbidden):
    """Who approved, received or inspected the goods does not also fix what is paid for them."""

    code = "handler_may_not_settle"
    cure = "Let another person settle the return."


def settle_return(tx: Tx, notice_id: UUID) -> None:
    """Fix what the accepted goods are worth and tell finance to refund it. Raises StepNotAllowed,
    HandlerMayNotSettle.

    Several partial returns of a line sum exactly to the line. Approver, handler, keeper and recorder of one matter
    are different persons. Source: R16, model 3.0 (segregation of duties), model 3.4 (9), I9 I10
    """
    notice = notices.lock(tx, notice_id)
    notice.require(Fact.SETTLED)
    handled = {notice.received_by, *(line.inspected_by for line in notice.lines)}
    if tx.actor.id in handled | approvals.deciders_of(tx, notice_id):
        raise HandlerMayNotSettle("who approved, received or inspected the goods may not settle the return")
    before = notice.happen(Fact.SETTLED, Status.SETTLED)
    assert notice.sale_id is not None
    allotments = returnable.lock(tx, notice.sale_id, notice.sold)
    told: list[events.SettledLine] = []
    for line in notice.accepted:
        worth = allotments[line.sale_line_id, line.lot].settle(line.accepted_quantity, line.worth)
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
    returnable.save(tx, notice.sale_id, allotments.values())
    event = events.settled(
        notice.at(tx.now),
        number=notice.number,
        sale_id=notice.sale_id,
        customer_id=notice.customer_id,
        reason=notice.reason,
        lines=told,
    )
    notice.refund_fen = event.amount_fen
    notices.add_history(
        tx, notice, Fact.SETTLED, before=before, detail={"refund_fen": notice.refund_fen, "lines": told}
    )
    notices.finish(tx, notice, [event], before=before, lines=notice.lines)
