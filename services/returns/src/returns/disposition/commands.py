"""Decide what becomes of accepted goods."""

from collections.abc import Mapping
from uuid import UUID

from returns import notices
from returns.disposition import events
from returns.disposition.rules import Goods, HandlerMayNotRelease, require_allowed
from returns.kernel.vocabulary import Disposition, Fact, LineStatus
from returns.notices import Line, Notice
from shared.clock import business_date
from shared.languages import Text
from shared.transaction import Tx


def dispose_return(tx: Tx, notice_id: UUID, wanted: Mapping[UUID, Disposition]) -> None:
    """QA decides what becomes of accepted goods; nothing is put back on sale by default.

    Raises StepNotAllowed, LineStepNotAllowed, RestockNotAllowed, LabResultAwaited, HandlerMayNotRelease.
    Source: R16 R17 R20, model 3.4 (8), I12
    """
    notice = notices.lock(tx, notice_id)
    notice.require(Fact.DISPOSITIONED)
    published, start = [], notice.status
    touched = []
    for line_id, disposition in wanted.items():
        line = notice.line(line_id)
        _dispose_line(tx, notice, line, disposition)
        assert line.disposition is not None
        touched.append(line)
        before = notice.happen(Fact.DISPOSITIONED, notice.resting_status())
        detail = {
            "return_line_id": str(line.id),
            "lot": line.lot,
            "quantity": line.accepted_quantity,
            "disposition": line.disposition,
        }
        notices.add_history(tx, notice, Fact.DISPOSITIONED, before=before, detail=detail)
        published.append(
            events.dispositioned(
                notice.at(tx.now),
                return_line_id=str(line.id),
                lot=line.lot,
                quantity=line.accepted_quantity,
                disposition=line.disposition,
            )
        )
    notices.finish(tx, notice, published, before=start, lines=touched)


def _dispose_line(tx: Tx, notice: Notice, line: Line, disposition: Disposition) -> None:
    line.require_status(LineStatus.INSPECTED, LineStatus.HELD)
    if not line.accepted_quantity:
        raise line.too_large(Text("line {id}: nothing was accepted", id=line.id), most=0)
    if tx.actor.id in {notice.requested_by, notice.received_by, line.inspected_by}:
        raise HandlerMayNotRelease("who asked for, received or inspected the goods may not release them")
    assert line.result is not None
    goods = Goods(
        reason=notice.reason,
        kind=notice.kind,
        expiry=line.expiry,
        inspection=line.result,
        # A cold line that failed was refused at receipt and never gets here.
        cold_chain_passed=line.receipt_cause is None,
    )
    require_allowed(disposition, goods, on=business_date(tx.now))
    line.disposition = disposition
    line.status = LineStatus.HELD if disposition is Disposition.LAB_HOLD else LineStatus.DISPOSITIONED
