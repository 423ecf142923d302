"""The journal's chain of a month as a file that others can recompute (docs/verification.md, deploy/apotheca_verify.py).

A head line, then every entry from the first to the last number of the month. Entries of other months that were
numbered between stand there, too: the chain goes through them, and nobody could say that one of them was left out.
Source: X7
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, text

from finance.balances import CHAIN
from finance.book import stream_of
from finance.kernel.period import month_text
from shared.chain import CANONICAL, GENESIS
from shared.clock import next_month
from shared.transaction import Tx

FORMAT = "apotheca-journal/1"
BLOCK_BYTES = 65_536
ROWS_AT_ONCE = 2_000
_SPAN = text(
    "select coalesce(min(chain_no), 0) as first_no, coalesce(max(chain_no), 0) as last_no, count(chain_no) as entries,"
    " count(*) - count(chain_no) as unsealed from journal_entries where booked_on >= :first and booked_on < :until"
)
_SUMS = text(
    "select l.account, sum(l.debit_fen)::bigint as debit, sum(l.credit_fen)::bigint as credit from journal_entries e"
    " join journal_lines l on l.entry_id = e.id and l.booked_on = e.booked_on where e.chain_no is not null"
    " and e.booked_on >= :first and e.booked_on < :until and l.booked_on >= :first and l.booked_on < :until"
    ' group by l.account order by l.account collate "C"'
)
_HASH = text("select chain_hash from journal_entries where stream = :stream and chain_no = :no")
_HEAD = text("select last_no, last_hash from chain_heads where chain = 'journal' and stream = :stream")
_ENTRIES = text(
    f"select t.chain_no, t.chain_hash, {CHAIN.content_sql} as content from journal_entries t"
    " where t.stream = :stream and t.chain_no between :first and :last order by t.chain_no"
)


def journal_chain(tx: Tx, month: date, _branches: list[str] | None) -> Iterator[bytes]:
    """The head line and the entries in the order of their numbers, in blocks; all from the caller's snapshot."""
    tx.conn.exec_driver_sql(CANONICAL)
    head = _head(tx.conn, month)
    yield orjson.dumps(head) + b"\n"
    span = {"stream": head["stream"], "first": head["first_no"], "last": head["last_no"]}
    block = bytearray()
    for row in tx.conn.execute(_ENTRIES, span, execution_options={"yield_per": ROWS_AT_ONCE}):
        block += f'{{"chain_no":{row.chain_no},"chain_hash":"{_hex(row.chain_hash)}","entry":{row.content}}}\n'.encode()
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def _head(conn: Connection, month: date) -> dict[str, Any]:
    stream = stream_of(month)
    days = {"first": month, "until": next_month(month)}
    span = conn.execute(_SPAN, days).one()
    head = conn.execute(_HEAD, {"stream": stream}).one_or_none()
    return {
        "format": FORMAT,
        "month": month_text(month),
        "stream": stream,
        "first_no": span.first_no,
        "last_no": span.last_no,
        "previous_hash": _hash_at(conn, stream, span.first_no - 1),
        "last_hash": _hash_at(conn, stream, span.last_no),
        "head_no": head.last_no if head else 0,
        "head_hash": _hex(head.last_hash) if head else _hex(GENESIS),
        "entries": span.entries,
        "unsealed": span.unsealed,
        "accounts": {row.account: [row.debit, row.credit] for row in conn.execute(_SUMS, days)},
    }


def _hash_at(conn: Connection, stream: str, no: int) -> str:
    return _hex(conn.execute(_HASH, {"stream": stream, "no": no}).scalar() or GENESIS)


def _hex(value: bytes) -> str:
    return bytes(value).hex()
