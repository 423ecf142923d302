"""What was spent as the ledger says, beside what budgets gave: the proof that both tell the same.

Source: F20
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, text

from finance import ledger
from finance.book import book_of
from finance.budgets import DRAWN, differing
from finance.expense_categories import NO_SPENDING, categories_on
from shared.clock import next_month
from shared.errors import Conflict
from shared.transaction import Tx

_SPENDING = f"""
with names as (
    select * from unnest(cast(:names as text[]), cast(:codes as text[])) as n(category, account)
), booked as (
    select l.branch_id, n.category, sum(l.fen)::bigint as fen from {ledger.LINES} l
    join names n on n.account = l.account
    where l.booked_on >= :first and l.booked_on < :until and l.kind <> all(:unspent)
    and (cast(:branches as text[]) is null or l.branch_id = any(:branches)) group by 1, 2
), drawn as (
    select m.branch_id, m.category, sum(m.actual_fen)::bigint as fen from {DRAWN} m where m.booked_on >= :first and m.booked_on < :until
    and (cast(:branches as text[]) is null or m.branch_id = any(:branches)) group by 1, 2
)
select branch_id, category, coalesce(booked.fen, 0) as booked_fen, coalesce(drawn.fen, 0) as drawn_fen,
    coalesce(booked.fen, 0) - coalesce(drawn.fen, 0) as unbudgeted_fen
from booked full join drawn using (branch_id, category) order by branch_id, category limit 10000
"""


def spending(tx: Tx, month: date, branch_id: str | None) -> list[dict[str, Any]]:
    """What the ledger says was spent in a month by branch and category, and how much of it drew on no budget (F20)."""
    chart = book_of(tx.conn).chart
    known = categories_on(next_month(month) - timedelta(days=1))
    codes = {name: chart.code(each.account) for name, each in known.items()}
    rows = tx.conn.execute(
        text(_SPENDING),
        {
            "names": list(codes),
            "codes": list(codes.values()),
            "unspent": sorted(NO_SPENDING),
            "first": month,
            "until": next_month(month),
            "branches": tx.actor.branch_filter(branch_id),
        },
    ).mappings()
    return [{**row, "account": codes[row["category"]]} for row in rows]


_DRAWN = f"""
with drawn as (
    select source_id, category, booked_on, sum(actual_fen) as fen from {DRAWN} m
    where booked_on >= :first and booked_on < :until group by 1, 2, 3
), booked as (
    select l.source_id, n.category, l.booked_on, sum(l.fen) as fen
    from unnest(cast(:names as text[]), cast(:codes as text[])) as n(category, account)
    join {ledger.LINES} l on l.account = n.account and l.booked_on >= :first and l.booked_on < :until
    where l.kind <> all(:unspent) group by 1, 2, 3
)
select count(*) from drawn left join booked using (source_id, category, booked_on)
where drawn.category is not null and drawn.fen <> coalesce(booked.fen, 0)
"""


class BudgetsDiffer(Conflict):
    """A budget counts what no movement says, or a movement says what the ledger does not."""

    code = "budgets_differ_from_ledger"
    cure = "Tell the operator: what budgets hold and what is booked must be equal before the month closes."


def require_tied(conn: Connection, month: date) -> None:
    """Raises BudgetsDiffer unless each budget is the sum of its movements, and what each document drew in the month is
    what it posted to the account of the category.
    """
    chart = book_of(conn).chart
    known = categories_on(next_month(month) - timedelta(days=1)).values()
    counted = differing(conn)
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
