-- Within a month at most two answers of a customer are `one_answer_per_days` apart: the latest, and one that many days
-- before. For the chain the latest is that of all branches. An answer without a branch is the chain's alone.
with told as (
    select branch_id, fact, delivered, coalesce(customer_id, survey_id) as person, day, seq, quality, service, price
    from facts.fact_surveys
    where day >= :first and day < :after and (cast(:branch as text) is null or branch_id = :branch)
), scoped as (
    select branch_id as scope, told.* from told where branch_id is not null
    union all
    select '' as scope, told.* from told where cast(:branch as text) is null
), dated as (
    select *, max(day) over (partition by scope, person) as latest from scoped where fact = 'answered'
), ranked as (
    select *, row_number() over (
        partition by scope, person, (latest - day) / :one_answer_per_days order by day desc, seq desc
    ) as rank
    from dated
), rated as (
    select scope, count(*) as answers, sum(quality)::bigint as quality, sum(service)::bigint as service,
        sum(price)::bigint as price, count(*) filter (where quality >= :satisfied_from_score) as quality_satisfied,
        count(*) filter (where service >= :satisfied_from_score) as service_satisfied,
        count(*) filter (where price >= :satisfied_from_score) as price_satisfied
    from ranked where rank = 1 group by scope
), sent as (
    select scope, count(*) filter (where fact = 'sent' and delivered) as delivered,
        count(*) filter (where fact = 'answered') as answered
    from scoped group by scope
)
select scope as branch_id,
    coalesce(:weight_quality * quality + :weight_service * service + :weight_price * price, 0)::bigint as numerator,
    coalesce((:weight_quality + :weight_service + :weight_price) * 5 * answers, 0)::bigint as denominator,
    coalesce(answers, 0) as n, true as has_value, coalesce(answers, 0) as answers,
    coalesce(quality, 0) as quality, coalesce(service, 0) as service, coalesce(price, 0) as price,
    coalesce(quality_satisfied, 0) as quality_satisfied, coalesce(service_satisfied, 0) as service_satisfied,
    coalesce(price_satisfied, 0) as price_satisfied, sent.answered, sent.delivered
from sent left join rated using (scope)
