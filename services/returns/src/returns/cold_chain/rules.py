"""Proof that cold goods stayed cold while they were sold out. No role may override a failure.

Source: R7 R9 G4, model 3.4 (5)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from returns.kernel.dated import Rule, number

NEEDS_EVIDENCE = frozenset({"cold_2_8", "frozen"})


class Fault(StrEnum):
    MISSING = "missing"
    CALIBRATION = "calibration"
    GAP = "gap"
    EXCURSION = "excursion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    at: datetime
    decicelsius: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """Samples of one logger while the goods were in `transport` or in `storage`."""

    phase: str
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    statement_ref: str
    log_ref: str
    device_id: str
    calibration_valid_until: date
    legs: Sequence[Leg]


def check(
    evidence: Evidence | None,
    *,
    temp_class: str,
    sold_at: datetime,
    received_at: datetime,
    received_on: date,
    rules: Sequence[Rule] | None = None,
) -> Fault | None:
    """The first reason to refuse the goods, or None.

    Samples cover [sold_at, received_at] without a gap over the limit of the phase in which it lies (both ends
    count as samples), every one inside the label range (0.1 °C), the device calibrated on the day of receipt.
    """
    if evidence is None:
        return Fault.MISSING
    samples = sorted(
        ((sample.at, sample.decicelsius, leg.phase) for leg in evidence.legs for sample in leg.samples),
        key=lambda each: each[0],
    )
    samples = [each for each in samples if sold_at <= each[0] <= received_at]
    if not samples:
        return Fault.MISSING
    if evidence.calibration_valid_until < received_on:
        return Fault.CALIBRATION
    low = number("returns.cold_chain", f"cold_chain.low.{temp_class}", on=received_on, rules=rules)
    high = number("returns.cold_chain", f"cold_chain.high.{temp_class}", on=received_on, rules=rules)
    if any(not low <= decicelsius <= high for _, decicelsius, _ in samples):
        return Fault.EXCURSION
    return Fault.GAP if _has_gap(samples, sold_at, received_at, received_on, rules) else None


def _has_gap(
    samples: Sequence[tuple[datetime, int, str]],
    start: datetime,
    end: datetime,
    on: date,
    rules: Sequence[Rule] | None,
) -> bool:
    before = start
    for at, _, phase in [*samples, (end, 0, samples[-1][2])]:
        if at - before > timedelta(
            seconds=number("returns.cold_chain", f"cold_chain.gap_max.{phase}", on=on, rules=rules)
        ):
            return True
        before = at
    return False
