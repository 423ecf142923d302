-- A visit is on its business day. A sale told late is booked to a later day; those few have an index of their own.
with refunded as materialized (
    select h.sale_id, sum(l.quantity) as quantity
    from facts.fact_refunds h join facts.fact_refund_lines l using (source, seq, day)
    where h.day >= :back and h.day < :after group by h.sale_id
), undone as materialized (
    select s.sale_id from refunded r join facts.fact_sales s using (sale_id)
    join facts.fact_sale_lines l on l.source = s.source and l.seq = s.seq and l.day = s.day
    group by s.sale_id, r.quantity having sum(l.quantity) <= r.quantity
), sold as (
    select branch_id, customer_id, sale_id, business_date from facts.fact_sales
    where day >= :back and day < :after and business_date >= :back and business_date < :after
        and (cast(:branch as text) is null or branch_id = :branch)
    union all
    select branch_id, customer_id, sale_id, business_date from facts.fact_sales
    where business_date < day and day >= :after and business_date >= :back and business_date < :after
        and (cast(:branch as text) is null or branch_id = :branch)
), visits as (
    select branch_id, customer_id, bool_or(business_date >= :first) as now, bool_or(business_date < :first) as before
    from sold s
    where customer_id is not null and not exists (select 1 from undone u where u.sale_id = s.sale_id)
    group by branch_id, customer_id
), came as (
    select branch_id, count(*) filter (where now and before) as again, count(*) filter (where now) as customers
    from visits group by branch_id
    union all
    select '', count(*) filter (where now and before), count(*) filter (where now) from (
        select bool_or(now) as now, bool_or(before) as before from visits group by customer_id
    ) as of_chain
), of_month as (
    select branch_id, customer_id from facts.fact_sales
    where day >= :first and day < :after and business_date >= :first and business_date < :after
        and (cast(:branch as text) is null or branch_id = :branch)
    union all
    select branch_id, customer_id from facts.fact_sales
    where business_date < day and day >= :after and business_date >= :first and business_date < :after
        and (cast(:branch as text) is null or branch_id = :branch)
), covered as (
    select branch_id, count(customer_id) as identified_sales, count(*) as sales from of_month group by branch_id
), coverage as (
    select * from covered
    union all
    select '', coalesce(sum(identified_sales), 0)::bigint, coalesce(sum(sales), 0)::bigint from covered
), counted as (
    select branch_id, coalesce(again, 0) as again, coalesce(customers, 0) as customers,
        coalesce(identified_sales, 0) as identified_sales, coalesce(sales, 0) as sales
    from came full join coverage using (branch_id)
)
select c.branch_id, again as numerator, customers as denominator, customers as n, looks_back_whole as has_value,
    identified_sales, sales, looks_back_whole
from counted c cross join lateral (
    -- A scope that has no sale from before the window has not looked back as far as the definition asks.
    select exists (
        select from facts.fact_sales s where s.day <= :back and (c.branch_id = '' or s.branch_id = c.branch_id)
    ) as looks_back_whole
) remembered
where c.branch_id is not null and (c.branch_id <> '' or cast(:branch as text) is null)
