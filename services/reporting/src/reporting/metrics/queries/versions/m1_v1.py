"""M1 statement accuracy: published leaf lines in which no material error was found in time.

Source: P2, metric M1
"""

from typing import Final

from reporting.metrics.model import Counts, Detail, Line, Metric, Unit, parameters, ratio_bp, sql_beside


def _detail(counts: Counts) -> Detail:
    """M1b run accuracy and M1c timeliness ride along."""
    runs, restated, on_time = counts["runs"], counts["restated_runs"], counts["on_time_runs"]
    return {
        "runs": runs,
        "restated_runs": restated,
        "on_time_runs": on_time,
        "lines_with_material_error": counts["lines_with_material_error"],
        "run_accuracy_bp": ratio_bp(runs - restated, runs),
        "timeliness_bp": ratio_bp(on_time, runs),
    }


METRIC: Final = Metric(
    code="M1",
    version="1",
    name="statement accuracy",
    title="Statement accuracy",
    explanation="Published statement lines without a material error found within 12 months, of all published lines.",
    numerator="lines without error",
    denominator="published lines",
    unit=Unit.PERCENT,
    of_branches=False,
    sql=sql_beside(__file__),
    binds=parameters,
    counts=("runs", "restated_runs", "on_time_runs", "lines_with_material_error"),
    detail=_detail,
    shown=(
        Line(label="Reports never restated", share="run_accuracy_bp"),
        Line(label="Reports on time", share="timeliness_bp"),
    ),
)
