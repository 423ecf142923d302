"""Figures as the facts stand.

Windows are calendar months of business days. A denominator of 0 gives no value (null, never 0 %); below the
definition's smallest sample the value is marked `low_sample`. Scope is the chain (CHAIN) or one branch.
Source: P2, metric conventions
"""

from collections.abc import Mapping
from datetime import date
from functools import cache

from sqlalchemy import Connection, RowMapping, TextClause, text

from reporting.kernel.scopes import CHAIN
from reporting.metrics.model import Figure, Metric, ratio_bp
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
    return {row["branch_id"]: _figure(metric, rule, month, row["branch_id"], row) for row in rows}


def _nothing(metric: Metric, rule: Definition, month: date, branch_id: str) -> Figure:
    counted = dict.fromkeys(("numerator", "denominator", "n", "has_value", *metric.counts), 0)
    return _figure(metric, rule, month, branch_id, counted)


def _figure(
    metric: Metric, rule: Definition, month: date, branch_id: str, row: Mapping[str, int] | RowMapping
) -> Figure:
    """What the statement says of a scope, as a figure."""
    numerator, denominator, has_value = row["numerator"], row["denominator"], bool(row["has_value"])
    return Figure(
        code=metric.code,
        version=metric.version,
        month=month,
        branch_id=branch_id,
        numerator=numerator,
        denominator=denominator,
        value_bp=ratio_bp(numerator, denominator) if has_value else None,
        n=row["n"],
        low_sample=row["n"] < rule.parameters["low_sample_below"] or not has_value,
        detail=metric.detail({name: row[name] for name in metric.counts}),
    )
