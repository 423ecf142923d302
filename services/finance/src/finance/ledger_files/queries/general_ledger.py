"""The ledger as files: general ledger (CSV, NDJSON), a month as Beancount text.

The general ledger is made by PostgreSQL alone: one COPY, whose blocks are handed on as they come. Nothing holds a
month in memory.
Source: F1, F2, X7, regulations 3.0c
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import text

from finance import balances
from finance.book import BOOK, book_of
from finance.kernel import dated
from finance.kernel.chart import Account
from finance.kernel.period import month_text
from finance.vouchers import DRAFTED
from shared.clock import next_month
from shared.database import driver_of
from shared.transaction import Tx

BLOCK_BYTES = 65_536
ROWS_AT_ONCE = 5_000
BOM = "\ufeff".encode()
KINDS: Mapping[str, Mapping[str, str]] = dated.read("entry_kinds")
GENERAL_LEDGER = """
select l.account, l.booked_on, e.chain_no as voucher_no, l.entry_id, l.no as line_no, e.kind, e.source_id,
    e.reference, l.branch_id, l.customer_id, l.debit_fen, l.credit_fen,
    (coalesce(o.fen, 0) + sum(l.debit_fen - l.credit_fen) over (
        partition by l.account collate "C" order by l.booked_on, l.entry_id, l.no rows unbounded preceding
    ))::bigint as balance_fen
from journal_lines l
join journal_entries e on e.id = l.entry_id and e.booked_on = l.booked_on
left join json_to_recordset(%(openings)s::json) as o(account text, fen bigint) on o.account = l.account
where l.booked_on >= %(first)s::date and l.booked_on < %(until)s::date
  and e.booked_on >= %(first)s::date and e.booked_on < %(until)s::date
  and (%(account)s::text is null or l.account = %(account)s)
  and (%(branches)s::text[] is null or l.branch_id = any(%(branches)s))
order by l.account collate "C", l.booked_on, l.entry_id, l.no
"""
# One JSON document a line; quote and delimiter are characters that JSON always escapes, so nothing is quoted twice.
_AS_NDJSON = (
    'copy (select concat(\'{"account":"\', account, \'","booked_on":"\', booked_on, \'","voucher_no":\','
    " coalesce(voucher_no::text, 'null'), ',\"entry_id\":', entry_id, ',\"line_no\":', line_no, ',\"kind\":\"', kind,"
    ' \'","source_id":"\', source_id, \'","reference":\', coalesce(to_json(reference)::text, \'null\'),'
    ' \',"branch_id":"\', branch_id, \'","customer_id":\','
    " case when customer_id is null then 'null' else concat('\"', customer_id, '\"') end,"
    " ',\"debit_fen\":', debit_fen, ',\"credit_fen\":', credit_fen, ',\"balance_fen\":', balance_fen, '}')"
    f" from ({GENERAL_LEDGER}) general) to stdout with (format csv, quote e'\\x01', delimiter e'\\x02')"
)
_HARMLESS = r"regexp_replace(reference, '^([-=+@])', '''\1')"
"""A text that a spreadsheet would take for a formula is quoted with an apostrophe."""
# For a spreadsheet: each account begins with its opening balance, amounts are yuan (fen × 0.01 is exact), and every
# line says in words what it is.
_AS_CSV = f"""
copy (
    select account, booked_on, voucher_no, entry_id, line_no, kind, coalesce(case kind when 'manual' then {_HARMLESS} end,
        cast(%(summaries)s as jsonb) ->> kind, kind) as summary, source_id, {_HARMLESS} as reference, branch_id, customer_id,
        debit_fen * 0.01 as debit, credit_fen * 0.01 as credit, balance_fen * 0.01 as balance
    from (
        select o.account, %(first)s::date as booked_on, null::bigint as voucher_no, null::bigint as entry_id,
            0 as line_no, 'opening_balance' as kind, null::uuid as source_id, null::text as reference,
            null::text as branch_id, null::uuid as customer_id, 0 as debit_fen, 0 as credit_fen, o.fen as balance_fen
        from json_to_recordset(%(openings)s::json) as o(account text, fen bigint)
        where %(account)s::text is null or o.account = %(account)s
        union all
        select * from ({GENERAL_LEDGER}) moved
    ) general order by account collate "C", line_no > 0, booked_on, entry_id, line_no
) to stdout with (format csv, header)
"""
OPENING_KIND = "opening_balance"


def general_ledger(
    tx: Tx, month: date, account: str | None, branches: list[str] | None, *, as_csv: bool
) -> Iterator[bytes]:
    """Every line of the month by account and day, with the running balance, in blocks of BLOCK_BYTES."""
    moved = balances.accounts(tx.conn, month, next_month(month), branches)
    openings = [{"account": code, "fen": each.opening_fen} for code, each in moved.items()]
    given = {
        "openings": json.dumps(openings),
        "first": month,
        "until": next_month(month),
        "account": account,
        "branches": branches,
    }
    if as_csv:
        given["summaries"] = json.dumps(
            {kind: words["zh"] for kind, words in KINDS.items()} | {OPENING_KIND: KINDS["opening"]["zh"]}
        )
    block = bytearray(BOM if as_csv else b"")
    statement = _AS_CSV if as_csv else _AS_NDJSON
    with driver_of(tx.conn) as driver, driver.cursor() as cursor, cursor.copy(statement, given) as copy:
        for row in copy:
            block += row
            if len(block) >= BLOCK_BYTES:
                yield bytes(block)
                block.clear()
    yield bytes(block)


_LINES = text(
    "select e.id, e.booked_on, e.chain_no, e.stream, e.kind, e.source_id, e.reference, e.branch_id, e.actor,"
    " l.no, l.account, l.customer_id, l.debit_fen, l.credit_fen, v.drafted_by"
    " from journal_entries e join journal_lines l on l.entry_id = e.id and l.booked_on = e.booked_on"
    f" left join {DRAFTED} v on e.kind = 'manual' and v.voucher_id = e.source_id"
    " where e.booked_on >= :first and e.booked_on < :until and l.booked_on >= :first and l.booked_on < :until"
    " and (cast(:branches as text[]) is null or e.branch_id = any(:branches))"
    " order by e.booked_on, e.id, l.no"
)


def _lines(tx: Tx, month: date, branches: list[str] | None) -> Iterator[Any]:
    given = {"first": month, "until": next_month(month), "branches": branches}
    yield from tx.conn.execute(_LINES, given, execution_options={"yield_per": ROWS_AT_ONCE})


def yuan(fen: int) -> str:
    """`-123456` → `-1234.56`: exact."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


ROOTS = {
    "asset": "Assets",
    "liability": "Liabilities",
    "equity": "Equity",
    "income": "Income",
    "expense": "Expenses",
}


def beancount_name(account: Account) -> str:
    """`Liabilities:2221-01-01`: Beancount's five roots, our code."""
    return f"{ROOTS[account.type]}:{account.code.replace('.', '-')}"


def beancount(tx: Tx, month: date, branches: list[str] | None) -> Iterator[bytes]:
    """The month as Beancount text: accounts, one opening entry, every entry, and the closing balances it must reach.

    Amounts are yuan with two decimals, debits positive. `bean-check` accepts it only when our balances are right.
    """
    chart = book_of(tx.conn).chart
    moved = dict(sorted(balances.accounts(tx.conn, month, next_month(month), branches).items()))
    names = {code: beancount_name(chart.by_code[code]) for code in moved}
    head = [f'option "title" "{BOOK} {month_text(month)}"', 'option "operating_currency" "CNY"', ""]
    for code, name in names.items():
        head += [f"1970-01-01 open {name} CNY", f"  name: {_quoted(chart.by_code[code].zh)}"]
    if any(each.opening_fen for each in moved.values()):
        head += ["", f'{month} * "期初余额"']
        head += [
            f"  {names[code]}  {yuan(each.opening_fen)} CNY"
            for code, each in moved.items()
            if each.opening_fen
        ]
    block = "\n".join(head)
    entry_id = None
    for row in _lines(tx, month, branches):
        if row.id != entry_id:
            entry_id = row.id
            if len(block) >= BLOCK_BYTES:
                yield block.encode()
                block = ""
            block += "\n" + _beancount_head(row)
        block += f"\n  {names[row.account]}  {yuan(row.debit_fen - row.credit_fen)} CNY"
    block += "\n"
    for code, each in moved.items():
        block += f"\n{next_month(month)} balance {names[code]}  {yuan(each.closing_fen)} ~ 0.00 CNY"
    yield (block + "\n").encode()


def _beancount_head(row: Any) -> str:
    summary = row.reference or KINDS.get(row.kind, {}).get("zh", row.kind)
    number = f'\n  voucher: "{row.stream}-{row.chain_no}"' if row.chain_no else ""
    return (
        f'\n{row.booked_on} * "{row.branch_id}" {_quoted(summary)}{number}'
        f'\n  kind: "{row.kind}"\n  source: "{row.source_id}"'
    )


def _quoted(given: str) -> str:
    return '"' + given.replace("\\", "\\\\").replace('"', '\\"') + '"'
