-- A restatement names the statement and version that were wrong. Statements of every span count on the day they were
-- published; M1 knows three kinds, and changes in equity are none of them.
with published as (
    select statement_id, version, leaf_lines, on_time, day from facts.fact_statements
    where fact = 'published' and kind in ('balance', 'income', 'cashflow') and day >= :first and day < :after
), wrong as (
    select statement_id, version, day, statement_line from facts.fact_statements
    where fact = 'restated' and material and day >= :first
), counted as (
    select count(*) as runs, coalesce(sum(p.leaf_lines), 0)::bigint as lines,
        coalesce(sum(least(e.lines, p.leaf_lines)), 0)::bigint as lines_with_material_error,
        count(*) filter (where e.lines > 0) as restated_runs, count(*) filter (where p.on_time) as on_time_runs
    from published p left join lateral (
        select count(distinct w.statement_line) as lines from wrong w
        where w.statement_id = p.statement_id and w.version = p.version
            and w.day < p.day + make_interval(months => :error_window_months)
    ) e on true
)
select '' as branch_id, lines - lines_with_material_error as numerator, lines as denominator, lines as n,
    true as has_value, runs, restated_runs, on_time_runs, lines_with_material_error
from counted
