"""The evaluation metrics of P2, each with numerator, denominator and value in basis points.

Windows are calendar months of business days. A denominator of 0 gives no value (null, never 0 %); below the
definition's smallest sample the value is marked `low_sample`. Scope is the chain (CHAIN) or one branch.
Source: P2, metrics M1, M2, M3
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from math import gcd
from typing import Any, Final

from sqlalchemy import Connection, text

from reporting.kernel.scopes import CHAIN
from reporting.metrics.model import Metric, ratio_bp
from reporting.metrics.rules import Definition, definition
from shared.clock import next_month
from shared.money import half_up

DIMENSIONS: Final = ("quality", "service", "price")
HIGHEST_SCORE: Final = 5


def _metric(
    rule: Definition,
    month: date,
    branch_id: str,
    numerator: int,
    denominator: int,
    n: int,
    detail: dict[str, Any],
) -> Metric:
    return Metric(
        code=rule.code,
        version=rule.version,
        month=month,
        branch_id=branch_id,
        numerator=numerator,
        denominator=denominator,
        value_bp=ratio_bp(numerator, denominator),
        n=n,
        low_sample=n < rule.parameters["low_sample_below"],
        detail=detail,
    )


def metric(conn: Connection, code: str, month: date, branch_id: str = CHAIN) -> Metric:
    """One metric of one scope as the facts stand now. Raises MetricUnknown.

    M1 is a property of the company's books and has no branches: any `branch_id` gives the chain's figure.
    """
    rule = definition(code, month)
    found = _COMPUTE[code](conn, rule, month, None if branch_id == CHAIN else branch_id)
    scope = CHAIN if code == "M1" else branch_id
    return found.get(scope) or _nothing(rule, month, scope)


def metrics(conn: Connection, month: date) -> list[Metric]:
    """Every metric of every scope that has a figure, and of the chain always."""
    made: list[Metric] = []
    for code, compute in _COMPUTE.items():
        rule = definition(code, month)
        found = compute(conn, rule, month, None)
        found.setdefault(CHAIN, _nothing(rule, month, CHAIN))
        made += [found[key] for key in sorted(found)]
    return made


def _nothing(rule: Definition, month: date, branch_id: str) -> Metric:
    empty: Mapping[str, dict[str, Any]] = {
        "M1": _accuracy_detail(0, 0, 0, 0),
        "M2": _answers_detail([0] * 10, 0, 0),
        "M3": _visits_detail(0, 0),
    }
    return _metric(rule, month, branch_id, 0, 0, 0, empty[rule.code])


# A restatement names the statement and version that were wrong. Statements of every span count on the day they were
# published; M1 knows three kinds, and changes in equity are none of them.
_STATEMENTS = text(
    """
    with published as (
        select statement_id, version, leaf_lines, on_time, day from facts.fact_statements
        where fact = 'published' and kind in ('balance', 'income', 'cashflow') and day >= :first and day < :after
    ), wrong as (
        select statement_id, version, day, statement_line from facts.fact_statements
        where fact = 'restated' and material and day >= :first
    )
    select count(*) as runs, coalesce(sum(p.leaf_lines), 0)::bigint as lines,
        coalesce(sum(least(e.lines, p.leaf_lines)), 0)::bigint as wrong_lines, count(*) filter (where e.lines > 0) as restated_runs,
        count(*) filter (where p.on_time) as on_time_runs
    from published p left join lateral (
        select count(distinct w.statement_line) as lines from wrong w
        where w.statement_id = p.statement_id and w.version = p.version
            and w.day < p.day + make_interval(months => :months)
    ) e on true
    """
)


def _accuracy(conn: Connection, rule: Definition, month: date, branch_id: str | None) -> dict[str, Metric]:
    row = conn.execute(
        _STATEMENTS,
        {"first": month, "after": next_month(month), "months": rule.parameters["error_window_months"]},
    ).one()
    detail = _accuracy_detail(row.runs, row.restated_runs, row.on_time_runs, row.wrong_lines)
    made = _metric(rule, month, CHAIN, row.lines - row.wrong_lines, row.lines, row.lines, detail)
    return {CHAIN: made}


def _accuracy_detail(runs: int, restated_runs: int, on_time_runs: int, wrong_lines: int) -> dict[str, Any]:
    """M1b run accuracy and M1c timeliness ride along."""
    return {
        "runs": runs,
        "restated_runs": restated_runs,
        "on_time_runs": on_time_runs,
        "lines_with_material_error": wrong_lines,
        "run_accuracy_bp": ratio_bp(runs - restated_runs, runs),
        "timeliness_bp": ratio_bp(on_time_runs, runs),
    }


# Within a month at most two answers of a customer are `days` apart: the latest, and one that many days before.
_ANSWERS = """
    select {scope} as branch_id, count(*), sum(quality)::bigint, sum(service)::bigint, sum(price)::bigint,
        count(*) filter (where quality >= :satisfied), count(*) filter (where service >= :satisfied),
        count(*) filter (where price >= :satisfied)
    from (
        select *, row_number() over (
            partition by {by} coalesce(customer_id, survey_id), (latest - day) / :days order by day desc, seq desc
        ) as rank
        from (
            select *, max(day) over (partition by {by} coalesce(customer_id, survey_id)) as latest
            from facts.fact_surveys
            where fact = 'answered' and day >= :first and day < :after
                and (cast(:branch as text) is null or branch_id = :branch)
        ) as answered
    ) as ranked
    where rank = 1 group by 1
"""
_ANSWERS_BY_BRANCH = text(_ANSWERS.format(scope="branch_id", by="branch_id,"))
_ANSWERS_OF_CHAIN = text(_ANSWERS.format(scope="''", by=""))
_SENT = text(
    """
    select branch_id, count(*) filter (where fact = 'sent' and delivered),
        count(*) filter (where fact = 'answered')
    from facts.fact_surveys where day >= :first and day < :after
        and (cast(:branch as text) is null or branch_id = :branch) group by branch_id
    """
)


def _satisfaction(
    conn: Connection, rule: Definition, month: date, branch_id: str | None
) -> dict[str, Metric]:
    span = {"first": month, "after": next_month(month), "branch": branch_id}
    asked = {
        **span,
        "satisfied": rule.parameters["satisfied_from_score"],
        "days": rule.parameters["one_answer_per_days"],
    }
    answers = {row[0]: [int(value) for value in row[1:]] for row in conn.execute(_ANSWERS_BY_BRANCH, asked)}
    sent = {row[0]: (row[1], row[2]) for row in conn.execute(_SENT, span)}
    if branch_id is None:
        answers.update(
            {row[0]: [int(value) for value in row[1:]] for row in conn.execute(_ANSWERS_OF_CHAIN, asked)}
        )
        sent[CHAIN] = (sum(each[0] for each in sent.values()), sum(each[1] for each in sent.values()))
    made: dict[str, Metric] = {}
    for scope in answers.keys() | sent.keys():
        if scope is not None:
            made[scope] = _index(rule, month, scope, answers.get(scope, [0] * 7), *sent.get(scope, (0, 0)))
    return made


def _index(
    rule: Definition, month: date, scope: str, counts: list[int], delivered: int, answered: int
) -> Metric:
    """Σ w·mean/5 as one exact fraction: weighted points over the most that could be given."""
    n, scores, satisfied = counts[0], counts[1:4], counts[4:7]
    weights = [rule.parameters[f"weight_{dimension}"] for dimension in DIMENSIONS]
    share = gcd(*weights)
    weights = [weight // share for weight in weights]
    points = sum(weight * score for weight, score in zip(weights, scores, strict=True))
    most = sum(weights) * HIGHEST_SCORE * n
    return _metric(
        rule, month, scope, points, most, n, _answers_detail([n, *scores, *satisfied], delivered, answered)
    )


def _answers_detail(counts: list[int], delivered: int, answered: int) -> dict[str, Any]:
    n = counts[0]
    return {
        "dimensions": {
            dimension: {
                "satisfied": counts[4 + index],
                "answers": n,
                "csat_bp": ratio_bp(counts[4 + index], n),
                "mean_milli": half_up(1000 * counts[1 + index], n) if n else None,
            }
            for index, dimension in enumerate(DIMENSIONS)
        },
        "answered": answered,
        "delivered": delivered,
        "response_rate_bp": ratio_bp(answered, delivered),
    }


# A visit is on its business day. A sale told late is booked to a later day; those few have an index of their own.
_SOLD = """
    select branch_id, customer_id, sale_id, business_date from facts.fact_sales
    where day >= :{back} and day < :after and business_date >= :{back} and business_date < :after
        and (cast(:branch as text) is null or branch_id = :branch)
    union all
    select branch_id, customer_id, sale_id, business_date from facts.fact_sales
    where business_date < day and day >= :after and business_date >= :{back} and business_date < :after
        and (cast(:branch as text) is null or branch_id = :branch)
"""
_VISITS = text(
    """
    with refunded as materialized (
        select h.sale_id, sum(l.quantity) as quantity
        from facts.fact_refunds h join facts.fact_refund_lines l using (source, seq, day)
        where h.day >= :back and h.day < :after group by h.sale_id
    ), undone as materialized (
        select s.sale_id from refunded r join facts.fact_sales s using (sale_id)
        join facts.fact_sale_lines l on l.source = s.source and l.seq = s.seq and l.day = s.day
        group by s.sale_id, r.quantity having sum(l.quantity) <= r.quantity
    ), sold as (
        {sold}
    ), visits as (
        select branch_id, customer_id, bool_or(business_date >= :first) as now, bool_or(business_date < :first) as before
        from sold s
        where customer_id is not null and not exists (select 1 from undone u where u.sale_id = s.sale_id)
        group by branch_id, customer_id
    )
    select branch_id, count(*) filter (where now and before), count(*) filter (where now)
    from visits group by branch_id
    union all
    select '', count(*) filter (where now and before), count(*) filter (where now) from (
        select bool_or(now) as now, bool_or(before) as before from visits group by customer_id
    ) as of_chain
    """.format(sold=_SOLD.format(back="back"))
)
_COVERAGE = text(
    f"select branch_id, count(customer_id), count(*) from ({_SOLD.format(back='first')}) as sold group by branch_id"
)


def _return_visits(
    conn: Connection, rule: Definition, month: date, branch_id: str | None
) -> dict[str, Metric]:
    """Visits count on their business day, however late they are told and wherever they are booked.

    A sale whose whole quantity was refunded before the window ends does not count, neither now nor before.

    For a branch both visits are visits to that branch. A chain or branch whose sales do not reach back as far as the
    window has no value: who came before is not known.
    """
    span = {"first": month, "after": next_month(month), "branch": branch_id}
    back = month - timedelta(days=rule.parameters["look_back_days"])
    visits = {row[0]: (row[1], row[2]) for row in conn.execute(_VISITS, {**span, "back": back})}
    coverage = {row[0]: (row[1], row[2]) for row in conn.execute(_COVERAGE, span)}
    if branch_id is None:
        coverage[CHAIN] = (
            sum(each[0] for each in coverage.values()),
            sum(each[1] for each in coverage.values()),
        )
    else:
        visits.pop(CHAIN, None)
    scopes = sorted(visits.keys() | coverage.keys())
    remembered = set(conn.execute(_REMEMBERED, {"scopes": scopes, "back": back}).scalars())
    made: dict[str, Metric] = {}
    for scope in scopes:
        again, customers = visits.get(scope, (0, 0))
        detail = _visits_detail(*coverage.get(scope, (0, 0)), looks_back_whole=scope in remembered)
        found = _metric(rule, month, scope, again, customers, customers, detail)
        made[scope] = found if scope in remembered else replace(found, value_bp=None, low_sample=True)
    return made


# A scope that has no sale from before the window has not looked back as far as the definition asks.
_REMEMBERED = text(
    "select scope from unnest(cast(:scopes as text[])) scope where exists (select from facts.fact_sales s"
    " where s.day <= :back and (scope = '' or s.branch_id = scope))"
)


def _visits_detail(identified: int, sales: int, *, looks_back_whole: bool = False) -> dict[str, Any]:
    return {
        "identified_sales": identified,
        "sales": sales,
        "coverage_bp": ratio_bp(identified, sales),
        "looks_back_whole": looks_back_whole,
    }


_COMPUTE = {"M1": _accuracy, "M2": _satisfaction, "M3": _return_visits}
