"""Inspect what arrived, lot by lot, and decide what becomes of it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from returns import events, repository
from returns.commands.recording import finish, identity, release_unused
from returns.domain import inspection
from returns.domain.disposition import Disposition, Goods, HandlerMayNotRelease, require_allowed
from returns.domain.notice import (
    Fact,
    Line,
    LineStatus,
    Notice,
    QuantityTooLarge,
    Status,
)
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.transaction import Tx


def inspect_return(tx: Tx, notice_id: UUID, lines: Sequence[Mapping[str, Any]]) -> None:
    """File an inspection report per line; held lines may be inspected again, by another inspector.

    Raises StepNotAllowed, LineStepNotAllowed, SampleTooSmall, QuantityTooLarge, ReceiverMayNotInspect,
    InspectorMayNotRepeat. Source: R10 G5, model 3.4 (6) and (7)
    """
    notice = repository.lock_notice(tx, notice_id)
    notice.require(Fact.INSPECTED)
    if tx.actor.id == notice.received_by:
        raise inspection.ReceiverMayNotInspect("who received the goods may not inspect them")
    earlier = repository.inspectors_of(tx, [line.id for line in notice.lines])
    published, start = [], notice.status
    touched = []
    for asked in lines:
        line = notice.line(asked["return_line_id"])
        if tx.actor.id in earlier[line.id]:
            raise inspection.InspectorMayNotRepeat("a second inspection needs another inspector")
        _inspect_line(tx, line, asked)
        touched.append(line)
        before = notice.happen(Fact.INSPECTED, notice.resting_status())
        repository.add_history(
            tx,
            notice,
            Fact.INSPECTED,
            before=before,
            detail={
                "return_line_id": str(line.id),
                "result": line.result,
                "accepted_quantity": line.accepted_quantity,
            },
        )
        assert line.result is not None
        published.append(
            events.inspected(
                identity(tx, notice), return_line_id=str(line.id), lot=line.lot, result=line.result
            )
        )
    if notice.status is Status.NOT_ACCEPTED:
        release_unused(tx, notice)
    finish(tx, notice, published, before=start, lines=touched)


def _inspect_line(tx: Tx, line: Line, asked: Mapping[str, Any]) -> None:
    line.require_status(LineStatus.RECEIVED, LineStatus.HELD)
    if asked["accepted_quantity"] > line.received_quantity:
        raise QuantityTooLarge(
            Text(
                "line {id}: {received_quantity} were received",
                id=line.id,
                received_quantity=line.received_quantity,
            ),
            return_line_id=str(line.id),
            most=line.received_quantity,
        )
    plan = inspection.plan(
        asked["cases"],
        is_intact=asked["is_intact"],
        has_anomaly=asked["has_anomaly"],
        on=business_date(tx.now),
    )
    if asked["cases_sampled"] < plan.cases:
        raise inspection.SampleTooSmall(
            Text("open at least {cases} of {opened} cases", cases=plan.cases, opened=asked["cases"]),
            return_line_id=str(line.id),
            least=plan.cases,
        )
    line.result = inspection.conclude(asked["checks"])
    line.accepted_quantity = asked["accepted_quantity"]
    line.inspected_by = tx.actor.id
    line.status, line.disposition = LineStatus.INSPECTED, None
    repository.add_inspection_report(
        tx,
        {
            "id": new_id(),
            "line_id": line.id,
            **{
                name: asked[name] for name in ("cases", "is_intact", "has_anomaly", "cases_sampled", "checks")
            },
            "cases_required": plan.cases,
            "packs_per_case_required": plan.packs_per_case,
            "result": line.result,
            "accepted_quantity": line.accepted_quantity,
        },
    )


def dispose_return(tx: Tx, notice_id: UUID, lines: Sequence[Mapping[str, Any]]) -> None:
    """QA decides what becomes of accepted goods; nothing is put back on sale by default.

    Raises StepNotAllowed, LineStepNotAllowed, RestockNotAllowed, LabResultAwaited, HandlerMayNotRelease.
    Source: R16 R17 R20, model 3.4 (8), I12
    """
    notice = repository.lock_notice(tx, notice_id)
    notice.require(Fact.DISPOSITIONED)
    published, start = [], notice.status
    touched = []
    for asked in lines:
        line = notice.line(asked["return_line_id"])
        _dispose_line(tx, notice, line, Disposition(asked["disposition"]))
        assert line.disposition is not None
        touched.append(line)
        before = notice.happen(Fact.DISPOSITIONED, notice.resting_status())
        detail = {
            "return_line_id": str(line.id),
            "lot": line.lot,
            "quantity": line.accepted_quantity,
            "disposition": line.disposition,
        }
        repository.add_history(tx, notice, Fact.DISPOSITIONED, before=before, detail=detail)
        published.append(
            events.dispositioned(
                identity(tx, notice),
                return_line_id=str(line.id),
                lot=line.lot,
                quantity=line.accepted_quantity,
                disposition=line.disposition,
            )
        )
    finish(tx, notice, published, before=start, lines=touched)


def _dispose_line(tx: Tx, notice: Notice, line: Line, disposition: Disposition) -> None:
    line.require_status(LineStatus.INSPECTED, LineStatus.HELD)
    if not line.accepted_quantity:
        raise QuantityTooLarge(
            Text("line {id}: nothing was accepted", id=line.id), return_line_id=str(line.id), most=0
        )
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
