"""The journal as other areas read it: lines with their entries, one entry, what months are open."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, text

from finance.kernel.posting import PostingLine

LINES = (
    "(select l.entry_id, l.no, l.booked_on, l.branch_id, l.account, l.customer_id, l.debit_fen, l.credit_fen,"
    " l.debit_fen - l.credit_fen as fen, e.kind, e.source_id, e.branch_id as of_branch, e.reference, e.chain_no"
    " from journal_lines l join journal_entries e on e.id = l.entry_id and e.booked_on = l.booked_on)"
)
"""Each line with what its entry says; whoever reads names days of `booked_on`, so that other months are not looked at."""

ENTRIES = "(select id, booked_on, branch_id, kind, source_id, reference, chain_no from journal_entries)"
"""Each entry without its lines, found by its id, its source or days of `booked_on`."""
PERIODS = "(select month, state from periods)"
"""Each month that has something."""
BALANCE_NOW = (
    "select (coalesce((select closing_fen from period_balances where month = carried.month and account = :account"
    "   and branch_id = :branch_id), 0)"
    " + coalesce((select sum(debit_fen - credit_fen) from running_balances where account = :account"
    "   and branch_id = :branch_id and month > coalesce(carried.month, '-infinity')), 0)"
    " + coalesce((select sum(l.debit_fen - l.credit_fen) from journal_entries e cross join lateral ("
    "    select debit_fen, credit_fen from journal_lines where entry_id = e.id and booked_on = e.booked_on"
    "    and account = :account offset 0) l"
    "   where e.chain_no is null and e.branch_id = :branch_id and e.booked_on >= coalesce("
    "    (select min(month) from periods where state = 'open'), 'infinity'::date)), 0))::bigint as fen"
    " from (select max(month) as month from period_balances) carried"
)
"""As finance.balances.balance, of `:account` in `:branch_id`, for a statement that sets it beside something else: carried,
sealed since, and not sealed yet.
"""

FIRST_MONTHS = "(select branch_id, min(month) as month from running_balances where account = :account group by branch_id)"
"""The month in which each branch first had something on `:account`."""


class Entry(Struct, frozen=True):
    """An entry of the journal; `chain_no` is its voucher number once it is sealed."""

    id: int
    booked_on: date
    branch_id: str
    kind: str
    chain_no: int | None


def entry(conn: Connection, entry_id: int) -> Entry | None:
    row = conn.execute(
        text("select id, booked_on, branch_id, kind, chain_no from journal_entries where id = :id"),
        {"id": entry_id},
    ).one_or_none()
    return None if row is None else Entry(*row)


def postings(conn: Connection, entry_id: int, booked_on: date) -> list[PostingLine]:
    """The lines of an entry, in order."""
    rows = conn.execute(
        text(
            "select account, debit_fen, credit_fen from journal_lines"
            " where entry_id = :id and booked_on = :booked_on order by no"
        ),
        {"id": entry_id, "booked_on": booked_on},
    )
    return [PostingLine(row.account, row.debit_fen, row.credit_fen) for row in rows]


def days_of(conn: Connection, sources: Collection[UUID]) -> tuple[date, date] | None:
    """The first and the last day on which these documents posted something; None when they posted nothing."""
    first, last = conn.execute(
        text("select min(booked_on), max(booked_on) from journal_entries where source_id = any(:sources)"),
        {"sources": list(sources)},
    ).one()
    return None if first is None else (first, last)


def period_state(conn: Connection, month: date) -> str | None:
    """The state of a month; None of one that nothing was ever booked to."""
    state: str | None = conn.execute(
        text("select state from periods where month = :month"), {"month": month}
    ).scalar_one_or_none()
    return state


def open_before(conn: Connection, month: date) -> date | None:
    """The first month before this one that is still open."""
    found: date | None = conn.execute(
        text("select min(month) from periods where state = 'open' and month < :month"), {"month": month}
    ).scalar_one()
    return found
