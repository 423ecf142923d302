"""What the cash flows of a closed month were made of, kept so that a year is read without its entries."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection, insert, text

from finance.statement_figures.rules.cash_flow import Movement
from finance.statement_figures.tables import cash_flow_movements


def keep_cash(conn: Connection, month: date, version: int, found: Mapping[Movement, int]) -> None:
    """Write fen by movement for a month that is not open, by the version of its period; what was kept before goes."""
    given = {"month": month, "version": version}
    conn.execute(
        text(
            "insert into cash_flow_months (month, period_version) values (:month, :version)"
            " on conflict (month) do update set period_version = excluded.period_version"
        ),
        given,
    )
    conn.execute(text("delete from cash_flow_movements where month = :month"), given)
    if found:
        conn.execute(
            insert(cash_flow_movements),
            [{"month": month, **movement._asdict(), "fen": fen} for movement, fen in found.items()],
        )
