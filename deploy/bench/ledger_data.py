"""Years of valid, balanced journals made by PostgreSQL and COPY, in the real tables with their triggers on."""

from datetime import date, timedelta
from itertools import islice
from typing import Any
from uuid import UUID, uuid5

import psycopg

from finance.kernel.chart import Standard, chart_of
from finance.vouchers.rules import CONTROL_ACCOUNTS
from shared.clock import next_month

ACCOUNTS = 99
CUSTOMERS = 1_000
NAMES = UUID(int=7)
Connection = psycopg.Connection[Any]


def year(conn: Connection, of: int, *, entries: int, branches: int, paid: bool) -> None:
    """`entries` entries of three lines over all accounts, spread over the twelve months of a year, and sealed.

    Every second entry is a sale on credit to one of CUSTOMERS, with its open item; when `paid`, the entry after it
    is the payment that settles it.
    """
    for number in range(1, 13):
        month = date(of, number, 1)
        count = entries * number // 12 - entries * (number - 1) // 12
        month_of_three_lines(conn, month, count, branches, paid=paid)
        seal(conn, month)


def month_of_three_lines(conn: Connection, month: date, count: int, branches: int, *, paid: bool) -> None:
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
            sale = at if at % 2 else max(at - 1, 0)
            customer = customers[sale // 2 * 7 % CUSTOMERS] if at % 2 or (paid and at) else None
            names = [others[(at + step) % len(others)] for step in range(3)]
            if at % 2:
                names = [receivables, revenue, vat]
            elif customer:
                names[0] = receivables
            fen = 1_000 + (sale if customer else at) * 37 % 90_000
            lines = _three_lines(names, fen, customer, credit_first=customer is not None and at % 2 == 0)
            day = month + timedelta(days=at * days // count)
            rows.append((first + at, day, f"B{sale // len(others) % branches:03d}", fen, lines))
        _copy(conn, rows)
        conn.execute(_ITEMS, {"month": month, "until": next_month(month)})
        conn.execute(_MATCHES, {"month": month, "until": next_month(month)})


def _three_lines(names: list[str], fen: int, customer: str | None, *, credit_first: bool) -> list[Any]:
    """The whole on the first account, against two parts of it on the others."""
    part = fen * 13 // 113
    sides = [(fen, 0), (0, fen - part), (0, part)]
    if credit_first:
        sides = [(credit, debit) for debit, credit in sides]
    return [
        (name, *side, customer if no == 0 else None)
        for no, (name, side) in enumerate(zip(names, sides, strict=True))
    ]


_ITEMS = """
insert into receivable_items (customer_id, branch_id, kind, source_id, instalment, booked_on, due_on, amount_fen,
    open_fen, settled_on, is_opening_told)
select l.customer_id, l.branch_id, case when l.debit_fen > 0 then 'sale' else 'payment' end, e.source_id, 1,
    l.booked_on, l.booked_on + case when l.debit_fen > 0 then 30 else 0 end, l.debit_fen - l.credit_fen,
    case when other.entry_id is null then l.debit_fen else 0 end,
    case when other.entry_id is not null then greatest(l.booked_on, other.booked_on) end, true
from journal_lines l join journal_entries e on e.id = l.entry_id and e.booked_on = l.booked_on
    left join journal_lines other on other.customer_id is not null and other.credit_fen + l.credit_fen > 0
        and other.entry_id = l.entry_id + case when l.debit_fen > 0 then 1 else -1 end
        and other.booked_on >= %(month)s and other.booked_on < %(until)s
where l.customer_id is not null and l.booked_on >= %(month)s and l.booked_on < %(until)s
"""
_MATCHES = """
insert into receivable_allocations (credit_id, debt_id, fen, allocated_on, actor, at)
select credit.item_id, debt.item_id, debt.amount_fen, credit.booked_on, 'bench', credit.booked_on
from journal_entries paid
    join journal_entries sold on sold.id = paid.id - 1 and sold.booked_on >= %(month)s and sold.booked_on < %(until)s
    join receivable_items credit on credit.source_id = paid.source_id and credit.kind = 'payment'
    join receivable_items debt on debt.source_id = sold.source_id and debt.kind = 'sale'
where paid.booked_on >= %(month)s and paid.booked_on < %(until)s
"""


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
    # Of a month just copied nothing is known, and the numbering would compare every entry with every other.
    for table in ("journal_entries", "journal_lines"):
        conn.execute(f"analyze {table}_y{month:%Ym%m}")
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
