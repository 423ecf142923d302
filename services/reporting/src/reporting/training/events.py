"""What is told of trainings."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, TypedDict

import msgspec

from reporting.organisation import StaffId
from reporting.training.rules import Result, Training
from shared.events import Event
from shared.texts import AnyDay, Name, Reference, one_of

TRAINING_RECORDED: Final = "reporting.training.recorded.v1"


class TrainingRecorded(TypedDict):
    """Somebody was trained; `valid_until` is the last day on which it counts, null where it does not run out."""

    training_record_id: Reference
    staff_id: StaffId
    topic: Name
    trained_on: AnyDay
    valid_until: AnyDay | None
    result: Annotated[str, one_of(Result)]


PUBLISHED: Final[Mapping[str, type]] = {TRAINING_RECORDED: TrainingRecorded}


def training_recorded(training: Training, day: date) -> Event[Any]:
    return Event(
        type=TRAINING_RECORDED,
        subject=training.training_record_id,
        version=1,
        day=day,
        data=msgspec.to_builtins(training),
    )
