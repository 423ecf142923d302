"""Rows of bank accounts, and what their lines come to."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from finance.bank_statements import rules
from shared.transaction import Tx

OPENING = b"opening"
"""The hash of the line that an account begins with: it is matched like any other, and never late."""

LINES = (
    "(select line_id, account_id, statement_id, line_hash, no, booked_on, valued_on, fen, reference, summary, clearing"
    " from bank_lines)"
)
"""Each line that a bank told of."""


def account(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Raises AccountNotFound, also where the token does not cover the account's branch."""
    row = (
        tx.conn.execute(text("select * from bank_accounts where account_id = :id"), {"id": account_id})
        .mappings()
        .one_or_none()
    )
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise rules.AccountNotFound("no such bank account")
    return dict(row)


def account_of_number(tx: Tx, number_key: str) -> dict[str, Any] | None:
    """The account of this number, as far as the token covers it."""
    row = (
        tx.conn.execute(text("select * from bank_accounts where number_key = :key"), {"key": number_key})
        .mappings()
        .one_or_none()
    )
    return None if row is None or not tx.actor.may_see(row["branch_id"]) else dict(row)


def balance_at(conn: Connection, account_id: UUID, end: date) -> int:
    """What the lines of the account come to at the end of a day, in fen."""
    return int(
        conn.execute(
            text("select coalesce(sum(fen), 0) from bank_lines where account_id = :id and booked_on <= :end"),
            {"id": account_id, "end": end},
        ).scalar_one()
    )
