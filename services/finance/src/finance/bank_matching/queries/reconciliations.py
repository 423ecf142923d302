"""What a month's reconciliation says, as things stand and as it was completed.

Source: F3, F16, M24
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from finance import balances, bank_statements, ledger, periods
from finance.bank_matching import rules
from finance.bank_matching.rules.reconciling import BankOnly, BookOnly, reconcile
from finance.bank_statements import LINES, OPENING, Account, balance_at
from finance.book import book_of
from finance.kernel.period import month_text
from shared import holidays
from shared.clock import business_date, next_month
from shared.transaction import Tx

BEGINNING = date(1970, 1, 1)


def reconciliation(conn: Connection, known: Account, month: date) -> dict[str, Any]:
    """The account's reconciliation at the end of the month, as things stand now."""
    end = next_month(month) - timedelta(days=1)
    adjusted = reconcile(
        book_fen=book_balance(conn, known, end),
        statement_fen=balance_at(conn, known.account_id, end),
        bank_only=_bank_only(conn, known.account_id, end),
        book_only=_book_only(conn, known, month, end),
    )
    reaches = bank_statements.reaches(conn, known.account_id)
    return {
        "account_id": str(known.account_id),
        "month": month_text(month),
        "is_covered": reaches is not None and reaches >= min(end, known.last_day or end),
        **adjusted,
        **_counted(conn, known.account_id, month),
    }


def book_balance(conn: Connection, known: Account, end: date) -> int:
    """The balance of the account in the books at the end of a month, in fen."""
    mine = "select coalesce(sum(fen), 0)::bigint from bank_book_items where booked_on <= :end and account_id"
    values = {"id": known.account_id, "end": end}
    if not known.is_main:
        return int(conn.execute(text(f"{mine} = :id"), values).scalar_one())
    total = balances.balance(conn, book_of(conn).chart.code("bank"), None, until=end + timedelta(days=1))
    return total - int(conn.execute(text(f"{mine} <> :id"), values).scalar_one())


def _bank_only(conn: Connection, account_id: UUID, end: date) -> list[BankOnly]:
    """Lines, or what is left of them, that the books did not have by the end of the month."""
    rows = conn.execute(
        text(
            "select l.line_id, l.booked_on, l.reference, (l.fen - coalesce(sum(i.fen), 0))::bigint as fen"
            f" from {LINES} l left join bank_matches m on m.line_id = l.line_id"
            " left join bank_book_items i on i.match_id = m.match_id and i.booked_on <= :end"
            " where l.account_id = :id and l.booked_on <= :end group by l.line_id, l.booked_on, l.reference, l.fen"
            " having l.fen <> coalesce(sum(i.fen), 0) order by l.booked_on, l.line_id"
        ),
        {"id": account_id, "end": end},
    )
    return [
        {
            "line_id": str(row.line_id),
            "booked_on": row.booked_on.isoformat(),
            "reference": row.reference,
            "fen": row.fen,
        }
        for row in rows
    ]


def _book_only(conn: Connection, known: Account, month: date, end: date) -> list[BookOnly]:
    """Entries on 1002 that the bank had not shown by the end of the month.

    What was open when the last closed month was reconciled is carried forward from there, so history is not
    read again.
    """
    since, carried = _carried(conn, known.account_id, month)
    found = {(each["source_id"], each["entry_kind"]): each for each in carried}
    chart = book_of(conn).chart
    rows = conn.execute(
        text(
            "select e.source_id, e.kind as entry_kind, e.booked_on, e.of_branch as branch_id, e.reference,"
            f" sum(e.fen)::bigint as fen from {ledger.LINES} e"
            " left join bank_book_items k on k.source_id = e.source_id and k.entry_kind = e.kind"
            " where e.account = :account and e.booked_on >= :since and e.booked_on <= :end"
            " and (k.account_id = :id or (k.account_id is null and :is_main))"
            " group by e.entry_id, e.source_id, e.kind, e.booked_on, e.of_branch, e.reference"
            " having sum(e.fen) <> 0 order by e.booked_on, e.entry_id"
        ),
        {
            "account": chart.code("bank"),
            "since": since,
            "end": end,
            "id": known.account_id,
            "is_main": known.is_main,
        },
    )
    for row in rows:
        found[str(row.source_id), row.entry_kind] = {
            "source_id": str(row.source_id),
            "entry_kind": row.entry_kind,
            "branch_id": row.branch_id,
            "booked_on": row.booked_on.isoformat(),
            "reference": row.reference,
            "fen": row.fen,
        }
    shown = conn.execute(
        text(
            "select i.source_id::text, i.entry_kind from bank_book_items i join bank_matches m using (match_id)"
            f" join {LINES} l on l.line_id = m.line_id where l.account_id = :id and l.booked_on <= :end"
            " and i.source_id = any(cast(:sources as uuid[]))"
        ),
        {"id": known.account_id, "end": end, "sources": [key[0] for key in found]},
    )
    for source_id, entry_kind in shown:
        found.pop((source_id, entry_kind), None)
    return list(found.values())


def _carried(conn: Connection, account_id: UUID, month: date) -> tuple[date, list[BookOnly]]:
    """The first day to read, and what was open before it.

    A reconciliation that rests on a match undone since does not say so: then an earlier one is carried forward. The
    day allows for moments taken before the lock was given; an earlier one is never wrong, only longer to read.
    """
    row = conn.execute(
        text(
            f"select r.month, r.content from bank_reconciliations r join {periods.PERIODS} p on p.month = r.month"
            " where r.account_id = :id and r.month < :month and p.state <> 'open' and not exists"
            " (select from bank_matches m where m.account_id = r.account_id and m.kind = 'book'"
            "  and m.confirmed_at <= r.completed_at and m.undone_at > r.completed_at - interval '1 day')"
            " order by r.month desc limit 1"
        ),
        {"id": account_id, "month": month},
    ).one_or_none()
    if row is None:
        return BEGINNING, []
    return next_month(row.month), [*row.content["received_by_book_only"], *row.content["paid_by_book_only"]]


def _counted(conn: Connection, account_id: UUID, month: date) -> dict[str, int]:
    """Numerator and denominator of M24 for the month: lines, and those matched in time.

    Raises CalendarUnknown.
    """
    rows = conn.execute(
        text(
            f"select l.booked_on, m.confirmed_at from {LINES} l left join bank_matches m"
            " on m.line_id = l.line_id and m.undone_at is null"
            " where l.account_id = :id and l.booked_on >= :month and l.booked_on < :until"
            " and l.fen <> 0 and l.line_hash <> :opening"
        ),
        {"id": account_id, "month": month, "until": next_month(month), "opening": OPENING},
    ).all()
    calendar = holidays.calendar(conn)
    in_time = [
        row
        for row in rows
        if row.confirmed_at is not None
        and rules.was_in_time(calendar, row.booked_on, business_date(row.confirmed_at))
    ]
    return {"lines": len(rows), "matched_in_time": len(in_time)}


def completed(tx: Tx, account_id: UUID) -> list[dict[str, Any]]:
    """Every completed reconciliation of the account, newest month first: a dozen a year."""
    bank_statements.account(tx, account_id)
    rows = tx.conn.execute(
        text("select * from bank_reconciliations where account_id = :id order by month desc limit 1200"),
        {"id": account_id},
    ).mappings()
    return [completed_view(dict(row)) for row in rows]


def completed_of(tx: Tx, account_id: UUID, month: date) -> dict[str, Any]:
    """The month's reconciliation as it was completed last."""
    row = tx.conn.execute(
        text("select * from bank_reconciliations where account_id = :id and month = :month"),
        {"id": account_id, "month": month},
    ).mappings()
    return completed_view(dict(row.one()))


def completed_view(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: row[key] for key in ("version", "content_hash", "completed_by", "completed_at")}
    return {**row["content"], **kept}


def unreconciled(conn: Connection, month: date) -> list[dict[str, str]]:
    """Accounts whose month has no reconciliation, or one that no longer agrees with books and statements."""
    end = next_month(month) - timedelta(days=1)
    rows = conn.execute(
        text("select account_id, book_fen, statement_fen from bank_reconciliations where month = :month"),
        {"month": month},
    )
    done = {row.account_id: (row.book_fen, row.statement_fen) for row in rows}
    return [
        {"account_id": str(each.account_id), "name": each.name}
        for each in bank_statements.asked_in(conn, month)
        if done.get(each.account_id)
        != (book_balance(conn, each, end), balance_at(conn, each.account_id, end))
    ]


def require_reconciled(conn: Connection, month: date) -> None:
    """Raises NotReconciled: what closing a month asks of the bank."""
    found = unreconciled(conn, month)
    if found:
        raise rules.NotReconciled("bank accounts of the month are not reconciled", accounts=found)
