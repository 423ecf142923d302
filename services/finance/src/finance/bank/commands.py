"""What people do with bank accounts: register them, import statements, reconcile months.

An import posts nothing: only a person's confirmation does (finance.bank.matching).
Source: F3, F16, F21, X1
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, text

from finance import repository
from finance.bank import formats, queries, rules
from finance.bank.events import reconciliation_completed
from finance.bank.formats import Statement
from finance.bank.tables import bank_accounts, bank_lines, bank_statements
from finance.booking import require_in_books
from finance.domain.period import PeriodClosed, PeriodState, month_text, require_over
from shared import audit, outbox
from shared.clock import business_date, new_id, next_month
from shared.transaction import Tx

OPENING = b"opening"


def register_account(tx: Tx, body: Mapping[str, Any]) -> dict[str, Any]:
    """The first account is the main one. Raises ForeignBranch, AccountKnown."""
    tx.actor.require_branch(body["branch_id"])
    queries.hold(tx, "accounts")
    if tx.conn.execute(
        text("select 1 from bank_accounts where number = :number"), {"number": body["number"]}
    ).first():
        raise rules.AccountKnown("an account of this number is registered")
    values = {
        "account_id": new_id(),
        **{key: body[key] for key in ("name", "bank", "number", "branch_id")},
        "is_main": tx.conn.execute(text("select 1 from bank_accounts limit 1")).first() is None,
        "registered_by": tx.actor.id,
        "registered_at": tx.now,
    }
    tx.conn.execute(insert(bank_accounts).values(values))
    audit.record(tx, "bank_account.register", str(values["account_id"]), after=values)
    return values


# --- statements -------------------------------------------------------------------------------------


def import_statement(
    tx: Tx, account_id: UUID, statement: Statement, content: bytes, kind: str
) -> tuple[dict[str, Any], bool]:
    """Keep what is new of a statement; the same statement again changes nothing. Returns it, and whether it is new.

    Raises AccountNotFound, AccountDiffers, StatementDaysWrong, BeforeTheBooks, StatementUnbalanced,
    StatementNumberReused, StatementGap, StatementContradicts.
    """
    account = queries.account(tx, account_id)
    queries.hold(tx, str(account_id))
    _require_sound(tx, account, statement)
    digest = hashlib.sha256(content).digest()
    known = (
        tx.conn.execute(
            text("select * from bank_statements where account_id = :id and number = :number"),
            {"id": account_id, "number": statement.number},
        )
        .mappings()
        .one_or_none()
    )
    if known is not None:
        if bytes(known["content_hash"]) != digest:
            raise rules.StatementNumberReused("the number stands for another statement")
        return dict(known), False
    hashes = formats.hashes(statement.lines)
    old = _fit(tx, account_id, statement, hashes)
    values = {
        "statement_id": new_id(),
        "account_id": account_id,
        "number": statement.number,
        "format": kind,
        "from_on": statement.from_on,
        "to_on": statement.to_on,
        "opening_fen": statement.opening_fen,
        "closing_fen": statement.closing_fen,
        "lines": len(statement.lines),
        "new_lines": sum(each not in old for each in hashes),
        "content_hash": digest,
        "imported_by": tx.actor.id,
        "imported_at": tx.now,
    }
    tx.conn.execute(insert(bank_statements).values(values))
    fresh = [
        _line_row(values, line_hash, line.booked_on, line.fen, line.reference, line.summary, line.clearing)
        for line, line_hash in zip(statement.lines, hashes, strict=True)
        if line_hash not in old
    ]
    if fresh:
        tx.conn.execute(insert(bank_lines), fresh)
    audit.record(
        tx,
        "bank_statement.import",
        str(values["statement_id"]),
        after={**values, "content_hash": digest.hex()},
    )
    return values, True


def _require_sound(tx: Tx, account: Mapping[str, Any], statement: Statement) -> None:
    if statement.account is not None and _plain(statement.account) != _plain(account["number"]):
        raise rules.AccountDiffers("the statement is of another account")
    days = [line.booked_on for line in statement.lines]
    if (
        statement.from_on > statement.to_on
        or statement.to_on > business_date(tx.now)
        or min(days, default=statement.from_on) < statement.from_on
        or max(days, default=statement.to_on) > statement.to_on
    ):
        raise rules.StatementDaysWrong("a line lies outside the days of the statement, or they are not over")
    for day in days:
        require_in_books(tx.conn, day)
    moved = sum(line.fen for line in statement.lines)
    if statement.opening_fen + moved != statement.closing_fen:
        raise rules.StatementUnbalanced(
            "opening balance and lines do not make the closing balance",
            opening_fen=statement.opening_fen,
            lines_fen=moved,
            closing_fen=statement.closing_fen,
        )


def _plain(number: str) -> str:
    return "".join(each for each in number if each.isalnum()).upper()


def _fit(tx: Tx, account_id: UUID, statement: Statement, hashes: Sequence[bytes]) -> set[bytes]:
    """The statement's lines that are known already; the first statement of an account brings its opening as a line."""
    begun = tx.conn.execute(
        text("select 1 from bank_statements where account_id = :id limit 1"), {"id": account_id}
    ).first()
    if begun is None:
        if statement.opening_fen:
            before = statement.from_on - timedelta(days=1)
            owner = {"account_id": account_id, "statement_id": account_id}
            row = _line_row(owner, OPENING, before, statement.opening_fen, "", "opening balance", None)
            tx.conn.execute(insert(bank_lines).values(row))
        return set()
    days = {"id": account_id, "from_on": statement.from_on, "to_on": statement.to_on}
    left = tx.conn.execute(
        text("select coalesce(sum(fen), 0) from bank_lines where account_id = :id and booked_on < :from_on"),
        days,
    ).scalar_one()
    if left != statement.opening_fen:
        raise rules.StatementGap(
            "earlier statements leave another balance", left_fen=int(left), opening_fen=statement.opening_fen
        )
    rows = tx.conn.execute(
        text(
            "select line_hash from bank_lines where account_id = :id and booked_on between :from_on and :to_on"
        ),
        days,
    )
    old = {bytes(row.line_hash) for row in rows}
    if not old <= set(hashes):
        raise rules.StatementContradicts("a line that an earlier statement had for these days is missing")
    return old


def _line_row(
    statement: Mapping[str, Any],
    line_hash: bytes,
    booked_on: date,
    fen: int,
    reference: str,
    summary: str,
    clearing: str | None,
) -> dict[str, Any]:
    return {
        "line_id": new_id(),
        "account_id": statement["account_id"],
        "statement_id": statement["statement_id"],
        "line_hash": line_hash,
        "booked_on": booked_on,
        "fen": fen,
        "reference": reference,
        "summary": summary,
        "clearing": clearing,
    }


# --- reconciliation ---------------------------------------------------------------------------------


def complete_reconciliation(tx: Tx, account_id: UUID, month: date) -> dict[str, Any]:
    """Keep the month's reconciliation as it is now; again replaces it while the month is open.

    Raises PeriodNotOver, StatementMissing, ReconciliationDiffers, PeriodClosed.
    """
    account = queries.account(tx, account_id)
    require_over(month, business_date(tx.now))
    # In the order of `confirm`: the matching first, the month second.
    queries.hold(tx, "match")
    if repository.hold_months(tx.conn, [month])[month] != PeriodState.OPEN:
        raise PeriodClosed(f"{month_text(month)} is closed")
    content = queries.reconciliation(tx.conn, account, month)
    if not content["is_covered"]:
        raise rules.StatementMissing("no statement reaches the end of the month")
    if content["difference_fen"]:
        raise rules.ReconciliationDiffers(
            "the adjusted balances differ", difference_fen=content["difference_fen"]
        )
    row = (
        tx.conn.execute(
            text(
                "insert into bank_reconciliations as r (account_id, month, version, book_fen, statement_fen, content,"
                " content_hash, completed_by, completed_at) values (:account_id, :month, 1, :book_fen,"
                " :statement_fen, cast(:content as jsonb), :content_hash, :person, :now)"
                " on conflict (account_id, month) do update set version = r.version + 1,"
                " book_fen = excluded.book_fen, statement_fen = excluded.statement_fen,"
                " content = excluded.content, content_hash = excluded.content_hash,"
                " completed_by = excluded.completed_by, completed_at = excluded.completed_at returning *"
            ),
            {
                "account_id": account_id,
                "month": month,
                "book_fen": content["book_fen"],
                "statement_fen": content["statement_fen"],
                "content": orjson.dumps(content).decode(),
                "content_hash": audit.digest(content),
                "person": tx.actor.id,
                "now": tx.now,
            },
        )
        .mappings()
        .one()
    )
    outbox.append(
        tx,
        reconciliation_completed(
            account_id=str(account_id),
            month=month_text(month),
            version=row["version"],
            book_fen=content["book_fen"],
            statement_fen=content["statement_fen"],
            lines=content["lines"],
            matched_in_time=content["matched_in_time"],
            day=next_month(month) - timedelta(days=1),
        ),
    )
    audit.record(tx, "bank_reconciliation.complete", f"{account_id}:{month_text(month)}", after=content)
    return queries.completed_view(dict(row))
