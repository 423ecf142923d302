"""Inspect what arrived, lot by lot."""

from collections.abc import Sequence
from uuid import UUID

from returns import notices
from returns.inspection import events, rules, store
from returns.inspection.model import Inspected, Report
from returns.kernel.vocabulary import Fact, LineStatus
from returns.notices import Line
from shared.clock import business_date
from shared.languages import Text
from shared.transaction import Tx


def inspect_return(tx: Tx, notice_id: UUID, lines: Sequence[Inspected]) -> None:
    """File an inspection report per line; held lines may be inspected again, by another inspector.

    Raises StepNotAllowed, LineStepNotAllowed, SampleTooSmall, QuantityTooLarge, ReceiverMayNotInspect,
    InspectorMayNotRepeat. Source: R10 G5, model 3.4 (6) and (7)
    """
    notice = notices.lock(tx, notice_id)
    notice.require(Fact.INSPECTED)
    if tx.actor.id == notice.received_by:
        raise rules.ReceiverMayNotInspect("who received the goods may not inspect them")
    earlier = store.inspectors_of(tx, [line.id for line in notice.lines])
    published, start = [], notice.status
    touched = []
    for asked in lines:
        line = notice.line(asked.return_line_id)
        if tx.actor.id in earlier[line.id]:
            raise rules.InspectorMayNotRepeat("a second inspection needs another inspector")
        _inspect_line(tx, line, asked)
        touched.append(line)
        before = notice.happen(Fact.INSPECTED, notice.resting_status())
        notices.add_history(
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
            events.inspected(notice.at(tx.now), return_line_id=str(line.id), lot=line.lot, result=line.result)
        )
    notices.finish(tx, notice, published, before=start, lines=touched)


def _inspect_line(tx: Tx, line: Line, asked: Inspected) -> None:
    line.require_status(LineStatus.RECEIVED, LineStatus.HELD)
    if asked.accepted_quantity > line.received_quantity:
        raise line.too_large(
            Text(
                "line {id}: {received_quantity} were received",
                id=line.id,
                received_quantity=line.received_quantity,
            ),
            most=line.received_quantity,
        )
    plan = rules.plan(
        asked.cases,
        is_intact=asked.is_intact,
        has_anomaly=asked.has_anomaly,
        on=business_date(tx.now),
    )
    if asked.cases_sampled < plan.cases:
        raise rules.SampleTooSmall(
            Text("open at least {cases} of {opened} cases", cases=plan.cases, opened=asked.cases),
            return_line_id=str(line.id),
            least=plan.cases,
        )
    line.result = rules.conclude(asked.checks)
    line.accepted_quantity = asked.accepted_quantity
    line.inspected_by = tx.actor.id
    line.status, line.disposition = LineStatus.INSPECTED, None
    report = Report(
        inspected=asked,
        cases_required=plan.cases,
        packs_per_case_required=plan.packs_per_case,
        result=line.result,
    )
    store.add_inspection_report(tx, report)
