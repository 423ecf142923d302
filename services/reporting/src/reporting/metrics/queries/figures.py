"""Figures as the facts stand.

Windows are calendar months of business days. A denominator of 0 gives no value (null, never 0 %); below the
definition's smallest sample the value is marked `low_sample`. Scope is the chain (CHAIN) or one branch.
Source: P2, metric conventions
"""

from datetime import date
from functools import cache

from sqlalchemy import Connection, TextClause, text

from reporting.kernel.scopes import CHAIN
from reporting.metrics.model import Counts, Figure, Metric, ratio_bp
from reporting.metrics.queries.registry import CODES, declared
from reporting.metrics.rules import Definition, definition
from shared.clock import next_month


def figure(conn: Connection, code: str, month: date, branch_id: str = CHAIN) -> Figure:
    """One metric of one scope as the facts stand now. Raises MetricUnknown.

    A metric that is the company's has no branches: any `branch_id` gives the chain's figure.
    """
    rule = definition(code, month)
    metric = declared(code, rule.version)
    scope = branch_id if metric.of_branches else CHAIN
    return _computed(conn, metric, rule, month, scope or None).get(scope) or _nothing(
        metric, rule, month, scope
    )


def figures(conn: Connection, month: date) -> list[Figure]:
    """Every metric of every scope that has a figure, and of the chain always."""
    made: list[Figure] = []
    for code in CODES:
        rule = definition(code, month)
        metric = declared(code, rule.version)
        found = _computed(conn, metric, rule, month, None)
        found.setdefault(CHAIN, _nothing(metric, rule, month, CHAIN))
        made += [found[key] for key in sorted(found)]
    return made


@cache
def _statement(sql: str) -> TextClause:
    return text(sql)


def _computed(
    conn: Connection, metric: Metric, rule: Definition, month: date, branch_id: str | None
) -> dict[str, Figure]:
    """The figures of all scopes, or of one branch."""
    span = {"first": month, "after": next_month(month), "branch": branch_id}
    rows = conn.execute(_statement(metric.sql), {**metric.binds(rule, month), **span}).mappings()
    made = {}
    for row in rows:
        parts = (row["numerator"], row["denominator"], row["n"])
        counts = {name: row[name] for name in metric.counts}
        made[row["branch_id"]] = _figure(
            metric, rule, month, row["branch_id"], parts, counts, has_value=row["has_value"]
        )
    return made


def _nothing(metric: Metric, rule: Definition, month: date, branch_id: str) -> Figure:
    return _figure(metric, rule, month, branch_id, (0, 0, 0), dict.fromkeys(metric.counts, 0))


def _figure(
    metric: Metric,
    rule: Definition,
    month: date,
    branch_id: str,
    parts: tuple[int, int, int],
    counts: Counts,
    *,
    has_value: bool = True,
) -> Figure:
    numerator, denominator, n = parts
    return Figure(
        code=metric.code,
        version=metric.version,
        month=month,
        branch_id=branch_id,
        numerator=numerator,
        denominator=denominator,
        value_bp=ratio_bp(numerator, denominator) if has_value else None,
        n=n,
        low_sample=n < rule.parameters["low_sample_below"] or not has_value,
        detail=metric.detail(counts),
    )
