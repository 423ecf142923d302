"""M2 satisfaction: the weighted mean score, as one exact fraction of the most that could be given.

Source: P2, metric M2
"""

from collections.abc import Mapping
from datetime import date
from math import gcd
from typing import Final

from reporting.metrics.model import Counts, Detail, Line, Metric, Unit, ratio_bp, sql_beside
from reporting.metrics.rules import Definition
from shared.money import half_up

DIMENSIONS: Final = ("quality", "service", "price")


def _binds(rule: Definition, _: date) -> Mapping[str, int]:
    """The weights by their greatest common divisor: numerator and denominator are then as small as they can be."""
    share = gcd(*(rule.parameters[f"weight_{dimension}"] for dimension in DIMENSIONS))
    weights = {f"weight_{each}": rule.parameters[f"weight_{each}"] // share for each in DIMENSIONS}
    return {**rule.parameters, **weights}


def _detail(counts: Counts) -> Detail:
    return {
        "dimensions": {
            dimension: {
                "satisfied": counts[f"{dimension}_satisfied"],
                "answers": counts["answers"],
                "csat_bp": ratio_bp(counts[f"{dimension}_satisfied"], counts["answers"]),
                "mean_milli": half_up(1000 * counts[dimension], counts["answers"])
                if counts["answers"]
                else None,
            }
            for dimension in DIMENSIONS
        },
        "answered": counts["answered"],
        "delivered": counts["delivered"],
        "response_rate_bp": ratio_bp(counts["answered"], counts["delivered"]),
    }


METRIC: Final = Metric(
    code="M2",
    version="1",
    name="satisfaction index",
    title="Customer satisfaction",
    explanation="Weighted mean of quality, service and price, as a share of the highest score; one answer per customer and 30 days.",
    numerator="weighted points",
    denominator="possible points",
    unit=Unit.POINTS,
    of_branches=True,
    sql=sql_beside(__file__),
    binds=_binds,
    counts=(
        "answers",
        *DIMENSIONS,
        *(f"{dimension}_satisfied" for dimension in DIMENSIONS),
        "answered",
        "delivered",
    ),
    detail=_detail,
    shown=(
        *(
            Line(
                label=dimension.capitalize(),
                share=f"dimensions.{dimension}.csat_bp",
                mean_milli=f"dimensions.{dimension}.mean_milli",
            )
            for dimension in DIMENSIONS
        ),
        Line(label="Response rate", share="response_rate_bp", counts=("answered", "delivered")),
    ),
)
