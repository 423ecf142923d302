"""Record trainings: the same again changes nothing, and no record changes. Source: X5, D33, R29"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec

from reporting import organisation
from reporting.training import store
from reporting.training.events import training_recorded
from reporting.training.rules import Training, require_training
from shared import audit, outbox
from shared.clock import business_date
from shared.errors import DomainError
from shared.identity import EVERY_BRANCH
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: `unchanged`, `recorded`, or `refused` and why."""

    training_record_id: str
    state: str
    refusal: DomainError | None = None


@dataclass(slots=True)
class _Judging:
    """What is known around some rows, row by row."""

    today: date
    known: dict[str, Training]
    staff: set[str]
    added: list[Training] = field(default_factory=list)


def record(tx: Tx, row: Training) -> Outcome:
    """One training. Raises ForeignBranch, TrainingRecordFixed, TrainingDaysWrong, TraineeUnknown."""
    judging = _begun(tx, [row])
    outcome = _judged(judging, row)
    _write(tx, judging)
    return outcome


def record_many(tx: Tx, rows: Sequence[Training]) -> list[Outcome]:
    """What became of each row, in order. A refused one hurts no other. Raises ForeignBranch."""
    judging = _begun(tx, rows)
    outcomes = []
    for row in rows:
        try:
            outcomes.append(_judged(judging, row))
        except DomainError as refusal:
            outcomes.append(Outcome(row.training_record_id, "refused", refusal))
    _write(tx, judging)
    return outcomes


def _begun(tx: Tx, rows: Sequence[Training]) -> _Judging:
    tx.actor.require_branch(EVERY_BRANCH)
    store.lock(tx)
    return _Judging(
        business_date(tx.now),
        store.known(tx, {each.training_record_id for each in rows}),
        organisation.staff_known(tx, {each.staff_id for each in rows}),
    )


def _judged(judging: _Judging, row: Training) -> Outcome:
    before = judging.known.get(row.training_record_id)
    if before == row:
        return Outcome(row.training_record_id, "unchanged")
    require_training(row, before, judging.staff, judging.today)
    judging.known[row.training_record_id] = row
    judging.added.append(row)
    return Outcome(row.training_record_id, "recorded")


def _write(tx: Tx, judging: _Judging) -> None:
    if not judging.added:
        return
    store.add(tx, judging.added)
    outbox.append(tx, *(training_recorded(each, judging.today) for each in judging.added))
    said = [msgspec.to_builtins(each) for each in judging.added]
    audit.record(tx, "training.record", judging.added[0].training_record_id, after=said)
