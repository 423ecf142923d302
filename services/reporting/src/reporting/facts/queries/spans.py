"""Which months and branches have facts, and whether finance has closed a month of them."""

from datetime import date, timedelta

from sqlalchemy import Connection, text

from shared.clock import next_month

_BRANCHES = text(
    """
    select branch_id from facts.fact_sales where day >= :first and day < :after
    union select branch_id from facts.fact_returns where day >= :first and day < :after
    union select branch_id from facts.fact_feedback where day >= :first and day < :after
    union select branch_id from facts.fact_surveys where day >= :first and day < :after
    """
)


def branches_of(conn: Connection, month: date) -> list[str]:
    """Every branch with a fact in the month, sorted."""
    rows = conn.execute(_BRANCHES, {"first": month, "after": next_month(month)})
    return sorted(row.branch_id for row in rows if row.branch_id)


_MONTHS = text(
    """
    select to_date(right(child.relname, 7), 'YYYY"m"MM') as month
    from pg_inherits i join pg_class child on child.oid = i.inhrelid
    where i.inhparent = 'facts.fact_other'::regclass order by 1 desc
    """
)


def months_of(conn: Connection) -> list[date]:
    """Every month for which there is or was a fact, newest first."""
    return [row.month for row in conn.execute(_MONTHS)]


# Finance tells the closing on the month's last day, a re-opening on the day it happens.
_BOOKS_CLOSED = text(
    """
    with told as (
        select seq, type from facts.fact_other
        where source = 'finance' and split_part(subject, ':', 2) = :named and day >= :last
            and type in ('finance.period.closed.v1', 'finance.period.reopened.v1')
    )
    select coalesce((select type = 'finance.period.closed.v1' from told order by seq desc limit 1), false)
        or not exists (select from facts.fact_sales where day >= :month and day <= :last)
        and not exists (select from facts.fact_refunds where day >= :month and day <= :last)
    """
)


def money_is_closed(conn: Connection, month: date) -> bool:
    """Whether the books of the month are closed, as far as finance has told; without any money there is nothing to close."""
    last = next_month(month) - timedelta(days=1)
    return bool(
        conn.execute(_BOOKS_CLOSED, {"named": f"{month:%Y-%m}", "month": month, "last": last}).scalar_one()
    )
