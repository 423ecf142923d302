"""Proof that cold goods stayed cold."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.cold_chain.rules import Evidence, Fault, Leg, Sample, check

SOLD = datetime(2026, 3, 2, 1, tzinfo=UTC)
RECEIVED = SOLD + timedelta(hours=6)


def log(*, minutes=5, decicelsius=50, phase="transport", start=SOLD, end=RECEIVED, valid=date(2026, 3, 2)):
    samples, at = [], start
    while at <= end:
        samples.append(Sample(at=at, decicelsius=decicelsius))
        at += timedelta(minutes=minutes)
    return Evidence(
        statement_ref="doc",
        log_ref="log",
        device_id="D",
        calibration_valid_until=valid,
        legs=[Leg(phase=phase, samples=samples)],
    )


def fault_of(evidence, temp_class="cold_2_8"):
    return check(
        evidence, temp_class=temp_class, sold_at=SOLD, received_at=RECEIVED, received_on=date(2026, 3, 2)
    )


@pytest.mark.requirement("R7")
def test_a_whole_log_in_range_passes():
    assert fault_of(log()) is None
    assert fault_of(log(minutes=30, phase="storage")) is None
    assert fault_of(log(decicelsius=-180), "frozen") is None


@pytest.mark.requirement("R7")
def test_no_log_or_one_of_another_time_is_missing():
    assert fault_of(None) is Fault.MISSING
    assert fault_of(log(start=SOLD - timedelta(days=2), end=SOLD - timedelta(days=1))) is Fault.MISSING


@pytest.mark.requirement("R9")
@pytest.mark.parametrize(
    ("decicelsius", "fault"), [(19, Fault.EXCURSION), (20, None), (80, None), (81, Fault.EXCURSION)]
)
def test_the_label_range_is_exact_to_a_tenth_of_a_degree(decicelsius, fault):
    assert fault_of(log(decicelsius=decicelsius)) is fault


@pytest.mark.requirement("R7")
@pytest.mark.parametrize(
    "evidence",
    [
        log(minutes=6),
        log(minutes=31, phase="storage"),
        log(start=SOLD + timedelta(minutes=6)),
        log(end=RECEIVED - timedelta(minutes=6)),
    ],
)
def test_a_gap_anywhere_between_sale_and_receipt_is_found(evidence):
    assert fault_of(evidence) is Fault.GAP


def test_a_logger_out_of_calibration_proves_nothing():
    assert fault_of(log(valid=date(2026, 3, 1))) is Fault.CALIBRATION


@given(st.data())
def test_taking_samples_away_never_repairs_a_log_and_their_order_is_no_matter(data):
    whole = log(minutes=5)
    [leg] = whole.legs
    kept = data.draw(st.permutations(leg.samples))[: data.draw(st.integers(1, len(leg.samples)))]
    thinned = Evidence(
        statement_ref="doc",
        log_ref="log",
        device_id="D",
        calibration_valid_until=date(2026, 3, 2),
        legs=[Leg(phase="transport", samples=kept)],
    )
    times = sorted([SOLD, *(sample.at for sample in kept), RECEIVED])
    widest = max(after - before for before, after in pairwise(times))
    assert (fault_of(thinned) is None) == (widest <= timedelta(minutes=5))
