"""Rows of bank accounts, their statements and lines, and what lines come to."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, text, update

from finance.bank_files import Statement, StatementLine
from finance.bank_statements import rules
from finance.bank_statements.model import Account, End, Imported, Known
from finance.bank_statements.tables import bank_accounts, bank_lines, bank_statements
from shared.clock import new_id
from shared.transaction import Tx

OPENING = b"opening"
"""The hash of the line that an account begins with: it is matched like any other, and never late."""

LINES = (
    "(select line_id, account_id, statement_id, line_hash, no, booked_on, valued_on, fen, reference, summary, clearing"
    " from bank_lines)"
)
"""Each line that a bank told of."""


def account(tx: Tx, account_id: UUID) -> Account:
    """Raises AccountNotFound, also where the token does not cover the account's branch."""
    row = tx.conn.execute(
        text("select * from bank_accounts where account_id = :id"), {"id": account_id}
    ).one_or_none()
    if row is None or not tx.actor.may_see(row.branch_id):
        raise rules.AccountNotFound("no such bank account")
    return account_of(row)


def account_of_number(tx: Tx, number_key: str) -> Account | None:
    """The account of this number, as far as the token covers it."""
    row = tx.conn.execute(
        text("select * from bank_accounts where number_key = :key"), {"key": number_key}
    ).one_or_none()
    return None if row is None or not tx.actor.may_see(row.branch_id) else account_of(row)


def account_of(row: Row[Any]) -> Account:
    return Account(
        account_id=row.account_id,
        name=row.name,
        bank=row.bank,
        number=row.number,
        branch_id=row.branch_id,
        number_key=row.number_key,
        is_main=row.is_main,
        registered_by=row.registered_by,
        registered_at=row.registered_at,
        last_day=row.last_day,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
    )


def numbers(tx: Tx) -> list[str]:
    """Those of every account, also of branches that the token does not cover; the first registered first."""
    return list(tx.conn.execute(text("select number from bank_accounts order by registered_at")).scalars())


def add_account(tx: Tx, registered: Account) -> None:
    tx.conn.execute(insert(bank_accounts).values(asdict(registered)))


def close_account(tx: Tx, account_id: UUID, last_day: date) -> None:
    tx.conn.execute(
        update(bank_accounts)
        .where(bank_accounts.c.account_id == account_id)
        .values(last_day=last_day, closed_by=tx.actor.id, closed_at=tx.now)
    )


def set_main(tx: Tx, account_id: UUID, *, is_main: bool) -> None:
    tx.conn.execute(
        update(bank_accounts).where(bank_accounts.c.account_id == account_id).values(is_main=is_main)
    )


def has_begun(tx: Tx, account_id: UUID) -> bool:
    """Whether a statement, or a line, of the account is kept."""
    begun = tx.conn.execute(
        text("select 1 from bank_lines where account_id = :id union all select 1 from bank_statements where account_id = :id limit 1"),
        {"id": account_id},
    )  # fmt: skip
    return begun.first() is not None


def has_number(tx: Tx, account_id: UUID, statement: Statement) -> bool:
    """Whether a statement of this number that ends on this day is kept."""
    found = tx.conn.execute(
        text("select 1 from bank_statements where account_id = :id and number = :number and to_on = :to_on"),
        {"id": account_id, "number": statement.number, "to_on": statement.to_on},
    )
    return found.first() is not None


def end_of(tx: Tx, account_id: UUID) -> End:
    end = tx.conn.execute(
        text(
            "select coalesce(sum(l.fen), 0) as fen, max(l.booked_on) as line_on,"
            " (select max(to_on) from bank_statements s where s.account_id = :id) as to_on"
            " from bank_lines l where l.account_id = :id"
        ),
        {"id": account_id},
    ).one()
    return End(*end)


def add_statement(tx: Tx, imported: Imported, identity: bytes, digest: bytes) -> None:
    """`identity` is what it says, `digest` the file's own."""
    values = asdict(imported)
    del values["is_new"]
    tx.conn.execute(insert(bank_statements).values(content_hash=digest, identity=identity, **values))


def add_lines(tx: Tx, imported: Imported, fresh: Sequence[Known]) -> None:
    """What is new of a statement, after the lines of the account that are known."""
    last = tx.conn.execute(
        text("select coalesce(max(no), 0) from bank_lines where account_id = :id"),
        {"id": imported.account_id},
    ).scalar_one()
    rows = [
        {
            "line_id": new_id(),
            "account_id": imported.account_id,
            "statement_id": imported.statement_id,
            "line_hash": line_hash,
            "no": no,
            "booked_on": line.booked_on,
            "valued_on": line.valued_on,
            "fen": line.fen,
            "reference": line.reference,
            "summary": line.summary,
            "clearing": line.clearing,
        }
        for no, (line, line_hash) in enumerate(fresh, last + 1)
    ]
    if rows:
        tx.conn.execute(insert(bank_lines), rows)


def imported_before(tx: Tx, account_id: UUID, identity: bytes, digest: bytes) -> Imported | None:
    """The same statement as it was imported to the account."""
    row = tx.conn.execute(
        text(
            "select * from bank_statements where account_id = :id"
            " and (identity = :identity or (identity is null and content_hash = :digest))"
            " order by imported_at limit 1"
        ),
        {"id": account_id, "identity": identity, "digest": digest},
    ).one_or_none()
    if row is None:
        return None
    return Imported(
        statement_id=row.statement_id,
        account_id=row.account_id,
        number=row.number,
        format=row.format,
        from_on=row.from_on,
        to_on=row.to_on,
        opening_fen=row.opening_fen,
        closing_fen=row.closing_fen,
        lines=row.lines,
        new_lines=row.new_lines,
        imported_by=row.imported_by,
        imported_at=row.imported_at,
        is_new=False,
    )


def known_lines(tx: Tx, account_id: UUID, statement: Statement) -> list[Known]:
    """Those of the statement's days, in the order of the bank."""
    rows = tx.conn.execute(
        text(
            "select line_hash, booked_on, fen, reference, summary, clearing from bank_lines where account_id = :id"
            " and booked_on between :from_on and :to_on order by booked_on, no"
        ),
        {"id": account_id, "from_on": statement.from_on, "to_on": statement.to_on},
    )
    return [
        Known(
            StatementLine(
                booked_on=row.booked_on,
                fen=row.fen,
                reference=row.reference,
                summary=row.summary,
                clearing=row.clearing,
            ),
            bytes(row.line_hash),
        )
        for row in rows
    ]


def balance_at(conn: Connection, account_id: UUID, end: date) -> int:
    """What the lines of the account come to at the end of a day, in fen."""
    return int(
        conn.execute(
            text("select coalesce(sum(fen), 0) from bank_lines where account_id = :id and booked_on <= :end"),
            {"id": account_id, "end": end},
        ).scalar_one()
    )
