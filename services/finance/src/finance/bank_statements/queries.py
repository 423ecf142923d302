"""Bank accounts and their statements."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from finance.bank_statements import store
from finance.bank_statements.model import Account
from shared.clock import next_month
from shared.paging import decode_cursor, page
from shared.transaction import Tx


def accounts(tx: Tx) -> list[Account]:
    """The accounts that the token covers, the first registered first."""
    rows = tx.conn.execute(text("select * from bank_accounts order by registered_at, account_id limit 1000"))
    return [store.account_of(row) for row in rows if tx.actor.may_see(row.branch_id)]


def statements(tx: Tx, account_id: UUID, args: Mapping[str, Any]) -> dict[str, Any]:
    """Newest import first; keyset by id."""
    store.account(tx, account_id)
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        text(
            "select * from bank_statements where account_id = :id"
            " and (cast(:after as text) is null or statement_id < cast(:after as uuid))"
            " order by statement_id desc limit :limit"
        ),
        {"id": account_id, "after": after, "limit": args["limit"] + 1},
    ).mappings()
    return page(rows, args["limit"], "statement_id")


def use_of(conn: Connection, account_id: UUID, last_day: date) -> dict[str, int]:
    """What keeps an account from being closed: its balance in fen, and lines after the day."""
    row = conn.execute(
        text(
            "select coalesce(sum(fen) filter (where booked_on <= :day), 0)::bigint as balance_fen,"
            " count(*) filter (where booked_on > :day) as later_lines from bank_lines where account_id = :id"
        ),
        {"id": account_id, "day": last_day},
    ).one()
    return {"balance_fen": row.balance_fen, "later_lines": row.later_lines}


def reaches(conn: Connection, account_id: UUID) -> date | None:
    """The last day that a statement of the account tells of."""
    found: date | None = conn.execute(
        text("select max(to_on) from bank_statements where account_id = :id"), {"id": account_id}
    ).scalar_one()
    return found


def asked_in(conn: Connection, month: date) -> list[Account]:
    """Accounts of which a month asks a reconciliation: registered by its end, or with statements of it or earlier, until
    they are closed.
    """
    rows = conn.execute(
        text(
            "select a.* from bank_accounts a"
            " where (a.last_day is null or (a.last_day >= :month"
            "  and exists (select from bank_statements s where s.account_id = a.account_id)))"
            " and ((a.registered_at at time zone 'Asia/Shanghai')::date <= :end or exists"
            " (select from bank_statements s where s.account_id = a.account_id and s.from_on <= :end))"
            " order by a.registered_at"
        ),
        {"month": month, "end": next_month(month) - timedelta(days=1)},
    )
    return [store.account_of(row) for row in rows]
