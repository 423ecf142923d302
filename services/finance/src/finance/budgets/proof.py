"""Budgets set against the ledger: what a budget counts is what was moved, and what was moved is what was booked.

Source: F20
"""

from datetime import date, timedelta

from sqlalchemy import Connection, text

from finance.book import book_of
from finance.budgets.rules import NO_SPENDING, categories_on
from shared.clock import next_month
from shared.errors import Conflict

_COUNTED = """
select count(*) from budgets b left join (
    select budget_id, sum(reserved_fen) as reserved_fen, sum(actual_fen) as actual_fen from budget_movements group by 1
) m using (budget_id)
where b.reserved_fen <> coalesce(m.reserved_fen, 0) or b.actual_fen <> coalesce(m.actual_fen, 0)
"""
_DRAWN = """
with drawn as (
    select source_id, category, booked_on, sum(actual_fen) as fen from budget_movements
    where booked_on >= :first and booked_on < :until group by 1, 2, 3
), booked as (
    select e.source_id, n.category, l.booked_on, sum(l.debit_fen - l.credit_fen) as fen
    from unnest(cast(:names as text[]), cast(:codes as text[])) as n(category, account)
    join journal_lines l on l.account = n.account and l.booked_on >= :first and l.booked_on < :until
    join journal_entries e on e.id = l.entry_id and e.booked_on = l.booked_on
    where e.kind <> all(:unspent) group by 1, 2, 3
)
select count(*) from drawn left join booked using (source_id, category, booked_on)
where drawn.category is not null and drawn.fen <> coalesce(booked.fen, 0)
"""


class BudgetsDiffer(Conflict):
    """A budget counts what no movement says, or a movement says what the ledger does not."""

    code = "budgets_differ_from_ledger"


def require_tied(conn: Connection, month: date) -> None:
    """Raises BudgetsDiffer unless each budget is the sum of its movements, and what each document drew in the month is
    what it posted to the account of the category.
    """
    chart = book_of(conn).chart
    known = categories_on(next_month(month) - timedelta(days=1)).values()
    counted = int(conn.execute(text(_COUNTED)).scalar_one())
    drawn = int(
        conn.execute(
            text(_DRAWN),
            {
                "names": [each.category for each in known],
                "codes": [chart.code(each.account) for each in known],
                "unspent": sorted(NO_SPENDING),
                "first": month,
                "until": next_month(month),
            },
        ).scalar_one()
    )
    if counted or drawn:
        raise BudgetsDiffer("budgets and ledger differ", budgets=counted, documents=drawn)
