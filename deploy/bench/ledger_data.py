"""Years of valid, balanced journals made by PostgreSQL and COPY, in the real tables with their triggers on."""

from datetime import date, timedelta
from itertools import islice
from typing import Any
from uuid import UUID, uuid5

import psycopg

from finance.domain.chart import Standard, chart_of
from finance.domain.voucher import CONTROL_ACCOUNTS
from shared.clock import next_month

ACCOUNTS = 99
CUSTOMERS = 1_000
NAMES = UUID(int=7)
Connection = psycopg.Connection[Any]


def year(conn: Connection, of: int, *, entries: int, branches: int, on_credit: bool) -> None:
    """`entries` entries of three lines over all accounts, spread over the twelve months of a year, and sealed.

    Every second entry is a sale on credit to one of CUSTOMERS, with its open item, when `on_credit`.
    """
    for number in range(1, 13):
        month = date(of, number, 1)
        count = entries * number // 12 - entries * (number - 1) // 12
        month_of_three_lines(conn, month, count, branches, on_credit=on_credit)
        seal(conn, month)


def month_of_three_lines(
    conn: Connection, month: date, count: int, branches: int, *, on_credit: bool
) -> None:
    chart = chart_of(Standard.CAS)
    receivables, revenue, vat = (chart.code(name) for name in ("receivables", "revenue", "output_vat"))
    plain = (each.code for each in chart.accounts if each.leaf and each.meaning not in CONTROL_ACCOUNTS)
    others = sorted({revenue, vat} | set(islice(plain, ACCOUNTS - 1)))[: ACCOUNTS - 1]
    assert {revenue, vat} <= set(others), "the accounts hold what a sale moves"
    customers = [str(uuid5(NAMES, str(number))) for number in range(CUSTOMERS)]
    days = (next_month(month) - month).days
    with conn.transaction():
        conn.execute("select ensure_month(%s)", (month,))
        first = _ids(conn, count)
        rows = []
        for at in range(count):
            fen = 1_000 + at * 37 % 90_000
            tax = fen * 13 // 113
            day = month + timedelta(days=at * days // count)
            customer = customers[at * 7 % CUSTOMERS] if on_credit and at % 2 else None
            names = (
                (receivables, revenue, vat)
                if customer
                else [others[(at + step) % len(others)] for step in range(3)]
            )
            sides = ((fen, 0), (0, fen - tax), (0, tax))
            lines = [
                (name, *side, customer if no == 0 else None)
                for no, (name, side) in enumerate(zip(names, sides, strict=True))
            ]
            rows.append((first + at, day, f"B{at // len(others) % branches:03d}", fen, lines))
        _copy(conn, rows)
        conn.execute(
            "insert into receivable_items (customer_id, branch_id, kind, source_id, instalment, booked_on, due_on,"
            " amount_fen, open_fen) select l.customer_id, l.branch_id, 'sale', e.source_id, 1, l.booked_on,"
            " l.booked_on + 30, l.debit_fen, l.debit_fen from journal_lines l join journal_entries e"
            " on e.id = l.entry_id and e.booked_on = l.booked_on where l.customer_id is not null"
            " and l.booked_on >= %s and l.booked_on < %s",
            (month, next_month(month)),
        )


def month_of_receipts(conn: Connection, month: date, count: int, branches: int) -> None:
    """`count` entries as receipts make them: a wallet against revenue and VAT, cost against merchandise; not sealed."""
    days = (next_month(month) - month).days
    with conn.transaction():
        conn.execute("select ensure_month(%s)", (month,))
        first = _ids(conn, count)
        rows = []
        for at in range(count):
            fen = 1_000 + at * 37 % 90_000
            tax, cost = fen * 13 // 113, fen * 6 // 10
            lines = [
                ("1012.01", fen, 0, None),
                ("6001", 0, fen - tax, None),
                ("2221.01.01", 0, tax, None),
                ("6401", cost, 0, None),
                ("1405", 0, cost, None),
            ]
            rows.append(
                (
                    first + at,
                    month + timedelta(days=at * days // count),
                    f"B{at % branches:03d}",
                    fen + cost,
                    lines,
                )
            )
        _copy(conn, rows)


def _ids(conn: Connection, count: int) -> int:
    row = conn.execute(
        "select setval('journal_entry_ids', nextval('journal_entry_ids') + %s) - %s", (count, count)
    ).fetchone()
    assert row is not None
    return int(row[0])


def _copy(conn: Connection, rows: list[Any]) -> None:
    with conn.cursor() as cursor:
        with cursor.copy(
            "copy journal_entries (id, booked_on, stream, branch_id, kind, source_id, total_fen, actor, recorded_at)"
            " from stdin"
        ) as copy:
            copy.write(
                "".join(
                    f"{number}\t{day}\tmain-{day.year}\t{branch}\tsale\t{uuid5(NAMES, f'entry {number}')}\t{fen}\t"
                    f"bench\t{day}T04:00:00Z\n"
                    for number, day, branch, fen, _ in rows
                )
            )
        with cursor.copy(
            "copy journal_lines (entry_id, no, booked_on, branch_id, account, customer_id, debit_fen, credit_fen)"
            " from stdin"
        ) as copy:
            copy.write(
                "".join(
                    f"{number}\t{no}\t{day}\t{branch}\t{account}\t{customer or chr(92) + 'N'}\t{debit}\t{credit}\n"
                    for number, day, branch, _, lines in rows
                    for no, (account, debit, credit, customer) in enumerate(lines, 1)
                )
            )


def seal(conn: Connection, month: date) -> None:
    """Number the month's entries in one statement, which folds them into the balances; the hashes are made up."""
    stream = f"main-{month.year}"
    with conn.transaction():
        conn.execute(
            "update journal_entries t set chain_no = s.last_no + s.n, chain_hash = sha256(t.id::text::bytea)"
            " from (select e.id, row_number() over (order by e.id) as n,"
            "   coalesce((select last_no from chain_heads where chain = 'journal' and stream = %(stream)s), 0) as last_no"
            "   from journal_entries e where booked_on >= %(month)s and booked_on < %(until)s and chain_no is null) s"
            " where t.id = s.id and t.booked_on >= %(month)s and t.booked_on < %(until)s",
            {"stream": stream, "month": month, "until": next_month(month)},
        )
        conn.execute(
            "insert into chain_heads (chain, stream, last_no, last_hash)"
            " select 'journal', stream, max(chain_no), sha256('made up') from journal_entries"
            " where booked_on >= %(month)s and booked_on < %(until)s group by stream"
            " on conflict (chain, stream) do update set last_no = excluded.last_no",
            {"month": month, "until": next_month(month)},
        )
