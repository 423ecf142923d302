"""Fetch the goods and take them into quarantine, or refuse them at the door."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from returns import events, repository
from returns.commands.recording import finish, hours_between, identity, release_unused
from returns.domain import cold_chain
from returns.domain.cold_chain import Evidence, Leg, Sample
from returns.domain.notice import (
    Fact,
    Line,
    LineStatus,
    Notice,
    QuantityTooLarge,
    ReceiptCause,
    Status,
)
from shared.clock import business_date
from shared.events import Event
from shared.languages import Text
from shared.lots import canonical
from shared.transaction import Tx


def confirm_pickup(tx: Tx, notice_id: UUID) -> None:
    """The goods are on the vehicle. Raises StepNotAllowed. Source: R6"""
    notice = repository.lock_notice(tx, notice_id)
    before = notice.happen(Fact.PICKUP_CONFIRMED, Status.PICKED_UP)
    pickup = repository.confirm_pickup(tx, notice_id)
    hours = hours_between(pickup["ordered_at"], tx.now)
    repository.add_history(
        tx,
        notice,
        Fact.PICKUP_CONFIRMED,
        before=before,
        detail={"on_time": pickup["on_time"], "due_at": pickup["due_at"].isoformat()},
    )
    event = events.pickup_confirmed(identity(tx, notice), hours=hours, on_time=pickup["on_time"])
    finish(tx, notice, [event], before=before)


def mark_pickup_breached(tx: Tx, notice_id: UUID) -> bool:
    """Record once that a pickup was not confirmed in time; False when it was after all. Source: R6"""
    notice = repository.lock_notice(tx, notice_id)
    if notice.status is not Status.PICKUP_ORDERED:
        return False
    due_at = repository.mark_pickup_breached(tx, notice_id)
    if due_at is None:
        return False
    before = notice.happen(Fact.PICKUP_BREACHED)
    repository.add_history(
        tx, notice, Fact.PICKUP_BREACHED, before=before, detail={"due_at": due_at.isoformat()}
    )
    finish(
        tx, notice, [events.pickup_breached(identity(tx, notice), due_at=due_at.isoformat())], before=before
    )
    return True


def receive_return(tx: Tx, notice_id: UUID, body: Mapping[str, Any]) -> None:
    """Take the goods into quarantine line by line, or refuse a line: another lot, or cold chain not proven.

    `body` is schemas.ReceiptBody loaded. Raises StepNotAllowed, LineUnknown, LinesIncomplete, QuantityTooLarge.
    Source: R7 R8 R9 G3 G4
    """
    notice = repository.lock_notice(tx, notice_id)
    notice.require(Fact.RECEIVED)
    notice.require_every_line([each["return_line_id"] for each in body["lines"]])
    for arrived in body["lines"]:
        _take_line(tx, notice, notice.line(arrived["return_line_id"]), arrived)
    repository.add_receipt(tx, notice_id, body["record"])
    notice.received_by, notice.received_at = tx.actor.id, tx.now
    published: list[Event] = []
    start = notice.status
    end = notice.resting_status()
    for line in notice.lines:
        if line.receipt_cause is None:
            continue
        before = notice.happen(Fact.RECEIPT_REFUSED)
        detail = {"return_line_id": str(line.id), "lot": line.lot, "cause": line.receipt_cause}
        repository.add_history(tx, notice, Fact.RECEIPT_REFUSED, before=before, detail=detail)
        published.append(
            events.receipt_refused(
                identity(tx, notice), return_line_id=str(line.id), lot=line.lot, cause=line.receipt_cause
            )
        )
    before = notice.happen(Fact.RECEIVED, end)
    told: list[events.ArrivedLine] = [
        {"return_line_id": str(line.id), "lot": line.lot, "quantity": line.received_quantity}
        for line in notice.arrived
    ]
    repository.add_history(tx, notice, Fact.RECEIVED, before=before, detail={"lines": told})
    if told:
        published.append(events.received(identity(tx, notice), lines=told))
    if end is Status.RECEIPT_REFUSED:
        release_unused(tx, notice)
    finish(tx, notice, published, before=start, lines=notice.lines)


def _take_line(tx: Tx, notice: Notice, line: Line, arrived: Mapping[str, Any]) -> None:
    if arrived["quantity"] > line.quantity:
        raise QuantityTooLarge(
            Text("line {id}: {quantity} were approved", id=line.id, quantity=line.quantity),
            return_line_id=str(line.id),
            most=line.quantity,
        )
    if arrived["quantity"] == 0:
        line.status = LineStatus.NOT_ARRIVED
        return
    line.receipt_cause = _receipt_cause(tx, notice, line, arrived)
    if line.receipt_cause is not None:
        line.status = LineStatus.RECEIPT_REFUSED
        return
    line.status, line.received_quantity = LineStatus.RECEIVED, arrived["quantity"]


def _receipt_cause(tx: Tx, notice: Notice, line: Line, arrived: Mapping[str, Any]) -> ReceiptCause | None:
    if canonical(arrived["lot"]) != canonical(line.lot):
        return ReceiptCause.MISMATCH
    if not line.needs_cold_chain:
        return None
    assert notice.sold_at is not None
    given = arrived["cold_chain"]
    fault = cold_chain.check(
        _evidence(given) if given else None,
        temp_class=line.temp_class,
        sold_at=notice.sold_at,
        received_at=tx.now,
        received_on=business_date(tx.now),
    )
    if given:
        repository.add_evidence(tx, line.id, _jsonable(given), fault)
    return ReceiptCause(fault) if fault else None


def _evidence(given: Mapping[str, Any]) -> Evidence:
    legs = [
        Leg(phase=leg["phase"], samples=[Sample(**sample) for sample in leg["samples"]])
        for leg in given["legs"]
    ]
    return Evidence(**{**given, "legs": legs})


def _jsonable(given: Mapping[str, Any]) -> dict[str, Any]:
    legs = [
        {
            "phase": leg["phase"],
            "samples": [[sample["at"].isoformat(), sample["decicelsius"]] for sample in leg["samples"]],
        }
        for leg in given["legs"]
    ]
    until = given["calibration_valid_until"].isoformat()
    return {**given, "calibration_valid_until": until, "legs": legs}
