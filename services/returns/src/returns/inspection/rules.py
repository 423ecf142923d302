"""How much of a returned lot is inspected, and what an inspection concludes. Source: R10 G5"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from returns.kernel.dated import Rule, number
from returns.kernel.vocabulary import Result
from shared.errors import Forbidden, Invalid

CHECKS = ("appearance", "packaging", "label", "leaflet", "seal", "expiry", "trace_code", "documents")


class ReceiverMayNotInspect(Forbidden):
    code = "receiver_may_not_inspect"
    cure = "Let another person inspect the goods."


class InspectorMayNotRepeat(Forbidden):
    """A re-inspection is a new report by another inspector."""

    code = "inspector_may_not_repeat"
    cure = "Let another inspector do the second inspection."


class SampleTooSmall(Invalid):
    code = "sample_too_small"
    cure = "Open at least as many cases as the sentence names, and inspect them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`cases` to open; `packs_per_case` minimum packs of each, None meaning every pack."""

    cases: int
    packs_per_case: int | None


def plan(
    cases: int, *, is_intact: bool, has_anomaly: bool, on: date, rules: Sequence[Rule] | None = None
) -> Plan:
    """The sample for `cases` arrived cases (≥ 1) of one lot.

    Up to 2 all; to 50 at least 6; above, 2 more per 50 or part of 50. An anomaly doubles cases and packs; goods
    without an intact outer pack are inspected to the last minimum pack.
    """

    def rule(name: str) -> int:
        return number("returns.inspection", f"inspection.{name}", on=on, rules=rules)

    if not is_intact:
        return Plan(cases=cases, packs_per_case=None)
    packs = rule("packs_per_case")
    if cases <= rule("every_case_up_to"):
        sample = cases
    else:
        steps = -(-max(0, cases - rule("base_up_to")) // rule("step_of_cases"))
        sample = rule("base_cases") + rule("cases_per_step") * steps
    if has_anomaly:
        sample, packs = sample * rule("anomaly_factor"), packs * rule("anomaly_factor")
    return Plan(cases=min(cases, sample), packs_per_case=packs)


def conclude(checks: Mapping[str, str]) -> Result:
    """One failed check fails the lot; else one open question leaves it undetermined."""
    results = set(checks.values())
    if Result.FAIL in results:
        return Result.FAIL
    return Result.UNDETERMINED if Result.UNDETERMINED in results else Result.PASS
