"""What a record of a training says, and what is refused of one. Pure. Source: X5, D33, R29"""

from collections.abc import Collection
from datetime import date
from enum import StrEnum
from typing import NoReturn

from msgspec import Struct

from reporting.organisation import StaffId
from shared.errors import Conflict, Invalid
from shared.languages import Text
from shared.texts import Name, Reference


class TrainingDaysWrong(Invalid):
    code = "training_days_wrong"
    cure = "Correct the days: a training has taken place, and counts on its own day at least."


class TraineeUnknown(Conflict):
    """The register of staff does not have the person."""

    code = "trainee_unknown"
    cure = "Tell the member of staff first, or correct `staff_id`."


class TrainingRecordFixed(Conflict):
    """A record of a training neither changes nor goes."""

    code = "training_record_fixed"
    cure = "Tell another record, with an id of its own."


class Result(StrEnum):
    PASSED = "passed"
    FAILED = "failed"


class Training(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody was trained in a topic; `valid_until` is the last day on which it counts."""

    training_record_id: Reference
    staff_id: StaffId
    topic: Name
    trained_on: date
    valid_until: date | None = None
    result: Result


def require_training(told: Training, before: Training | None, staff: Collection[str], today: date) -> None:
    """Raises TrainingRecordFixed, TrainingDaysWrong, TraineeUnknown."""
    if before is not None:
        raise TrainingRecordFixed("this record says something else already")
    if told.trained_on > today:
        _refuse("trained_on", Text("{day} is still to come", day=told.trained_on))
    if told.valid_until is not None and told.valid_until < told.trained_on:
        message = Text("{last} lies before {first}", last=told.valid_until, first=told.trained_on)
        _refuse("valid_until", message)
    if told.staff_id not in staff:
        message = Text("{staff_id} is no member of staff", staff_id=told.staff_id)
        raise TraineeUnknown(message, errors=[{"path": "staff_id", "message": message}])


def _refuse(path: str, message: Text) -> NoReturn:
    raise TrainingDaysWrong(message, errors=[{"path": path, "message": message}])
