"""A record of a training: of a member of staff, of a day that has come, and for good."""

from datetime import date

import msgspec
import pytest

from reporting.training.rules import (
    TraineeUnknown,
    Training,
    TrainingDaysWrong,
    TrainingRecordFixed,
    require_training,
)
from tests.support.organisation_world import a_training

TODAY = date(2026, 12, 1)
STAFF = {"pei.purchaser"}


def training(**odd):
    return msgspec.convert(a_training(**odd), Training)


def test_a_training_of_today_that_counts_for_a_day_is_recorded():
    require_training(training(trained_on="2026-12-01", valid_until="2026-12-01"), None, STAFF, TODAY)
    require_training(training(valid_until=None, result="failed"), None, STAFF, TODAY)


@pytest.mark.parametrize(
    ("odd", "refusal"),
    [
        ({"trained_on": "2026-12-02"}, TrainingDaysWrong),
        ({"valid_until": "2026-02-28"}, TrainingDaysWrong),
        ({"staff_id": "nobody"}, TraineeUnknown),
    ],
)
def test_a_training_is_refused_by_what_is_wrong_with_it(odd, refusal):
    with pytest.raises(refusal):
        require_training(training(**odd), None, STAFF, TODAY)


def test_a_record_does_not_change():
    with pytest.raises(TrainingRecordFixed):
        require_training(training(), training(result="failed"), STAFF, TODAY)
