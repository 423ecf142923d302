"""Hash chains: rows numbered and chained per stream after commit, so that no writer waits for another.

A chained table has the columns `id` (identity), `stream`, `chain_no` and `chain_hash`. `seal` gives unsealed
rows the next number of their stream and `hash = sha256(previous hash ‖ number ‖ content)`. `verify` recomputes
all of it and names the first row that was altered, removed or inserted.

The content is canonical: its expression is read under CANONICAL, and moments are written by `moment`, so that no
setting of a session changes a hash. docs/verification.md gives the recipes for programs outside.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from shared.database import driver_of

Row = tuple[int, Any, str, str]
"""id, partition key, stream and content of a row that has no number."""
GENESIS = b"\0" * 32
SEAL_ROWS_MAX = 20_000
"""About 20 MB of rows, and half a second."""
READ_ROWS = 2_500
"""How many rows are read while those before them are written."""
UNSEALED_S_MAX = 60
"""A row that waits longer for its number is a fault: nobody seals, or it was written past the sealer."""
CANONICAL = (
    "set local timezone = 'UTC'; set local datestyle = 'ISO, MDY'; set local intervalstyle = 'postgres';"
    " set local bytea_output = 'hex'; set local extra_float_digits = 1; set local lc_numeric = 'C'"
)
"""The settings under which a content is read, whatever the session had."""


def moment(column: str) -> str:
    """SQL of an instant as text: UTC, always six digits of a second, `2026-11-01T02:00:00.000000Z`."""
    return f"to_char({column} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """`content_sql` is an SQL expression over the row alias `t` that yields the text to hash.

    `partition_key` and its type name the column a partitioned table is divided by: sealing looks into no other part.
    `at` is the column that says when a row was written. `expected_sql` selects the streams that must exist.
    """

    name: str
    table: str
    content_sql: str
    partition_key: str = "id"
    partition_type: str = "bigint"
    at: str = "at"
    expected_sql: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What was found: in which chain or table, in which stream, at which number or row, of which KINDS."""

    chain: str
    stream: str
    no: int
    kind: str
    row: str | None = None


KINDS = {
    "altered": "the content of the row is not what was sealed or written down",
    "missing": "a row before this number, or at the end, was removed",
    "head": "the head of the stream is not the hash of its last row",
    "no_head": "the stream has rows, and its head was removed",
    "no_stream": "the stream must exist, and neither rows nor head do",
    "unsealed": f"the row waits for its number for more than {UNSEALED_S_MAX} s",
    "removed": "the row was written down, and is not there",
    "inserted": "the row is there, and nobody wrote it down",
    "foreign": "the row was written by another program than this service",
    "differs": "the row is not what others of the books say",
    "file_missing": "the file of an archived month is not there",
    "file_altered": "the file of an archived month is not what was written",
    "file_unread": "the files of archived months cannot be read by this process",
    "anchor": "the stream is not what was anchored outside the database",
    "anchor_line": "a line of the anchors is not what was written and signed",
}


def link(previous: bytes, no: int, content: str) -> bytes:
    return hashlib.sha256(previous + no.to_bytes(8, "big") + content.encode()).digest()


def seal(conn: Connection, chain: Chain, *, limit: int = SEAL_ROWS_MAX) -> int:
    """Seal up to `limit` rows in the caller's transaction; one sealer at a time by advisory lock.

    The database builds the content of the next rows, on a second connection, while those before are hashed and
    written: with many rows to seal that is most of the time. What the caller has written itself and not committed
    is sealed as far as it is among the first READ_ROWS; the rest by the next call.
    """
    if not conn.execute(
        text("select pg_try_advisory_xact_lock(hashtextextended('seal:' || :name, 0))"), {"name": chain.name}
    ).scalar():
        return 0
    conn.exec_driver_sql(CANONICAL)
    heads = _heads(conn, chain)
    sealed, streams = 0, set()
    for rows in _unsealed(conn, chain, limit):
        numbers, hashes = [], []
        for _, _, stream, content in rows:
            last_no, previous = heads.get(stream, (0, GENESIS))
            heads[stream] = last_no + 1, link(previous, last_no + 1, content)
            numbers.append(last_no + 1)
            hashes.append(heads[stream][1])
            streams.add(stream)
        _write_seals(conn, chain, rows, numbers, hashes)
        sealed += len(rows)
    if streams:
        conn.execute(
            text(
                "insert into chain_heads (chain, stream, last_no, last_hash) values (:chain, :stream, :no, :last)"
                " on conflict (chain, stream) do update set last_no = excluded.last_no,"
                " last_hash = excluded.last_hash"
            ),
            [
                {"chain": chain.name, "stream": stream, "no": heads[stream][0], "last": heads[stream][1]}
                for stream in streams
            ],
        )
    return sealed


def _unsealed(conn: Connection, chain: Chain, limit: int) -> Iterator[list[Row]]:
    """Yield the oldest rows without a number, READ_ROWS at a time; from the second time on they are read ahead."""
    rows = _read_unsealed(conn, chain, after=None, limit=min(limit, READ_ROWS))
    left = limit - len(rows)
    if len(rows) < READ_ROWS or not left:
        if rows:
            yield rows
        return
    with conn.engine.begin() as ahead, ThreadPoolExecutor(1) as reader:
        ahead.exec_driver_sql(CANONICAL)
        while rows:
            coming = reader.submit(
                _read_unsealed, ahead, chain, after=rows[-1][0], limit=min(left, READ_ROWS)
            )
            yield rows
            rows = coming.result()
            left -= len(rows)


def _read_unsealed(conn: Connection, chain: Chain, *, after: int | None, limit: int) -> list[Row]:
    """Rows as psycopg gives them, for there are many."""
    content_sql = chain.content_sql.replace("%", "%%")
    with driver_of(conn) as driver:
        return (
            driver.cursor(binary=True)
            .execute(
                f"select t.id, t.{chain.partition_key}, t.stream, {content_sql} from {chain.table} t"
                " where t.chain_no is null and (%b::bigint is null or t.id > %b) order by t.id limit %b",
                (after, after, limit),
            )
            .fetchall()
        )


def _write_seals(
    conn: Connection,
    chain: Chain,
    rows: Sequence[Row],
    numbers: Sequence[int],
    hashes: Sequence[bytes],
) -> None:
    ids, parts = [row[0] for row in rows], [row[1] for row in rows]
    # The bounds keep the statement to the rows of this batch: without them each batch reads all that is unsealed.
    # Of a table that was just filled the server believes a range to hold few rows, and would compare each of the
    # batch with each of the range.
    with driver_of(conn) as driver:
        driver.execute("set local enable_nestloop = off")
        driver.execute(
            f"update {chain.table} t set chain_no = s.no, chain_hash = s.hash"
            f" from unnest(%b::bigint[], %b::{chain.partition_type}[], %b::bigint[], %b::bytea[])"
            " as s(id, part, no, hash)"
            f" where t.id = s.id and t.{chain.partition_key} = s.part and t.chain_no is null"
            f" and t.id between %b and %b and t.{chain.partition_key} between %b and %b",
            (ids, parts, list(numbers), list(hashes), ids[0], ids[-1], min(parts), max(parts)),
        )
        driver.execute("set local enable_nestloop = on")


def verify(
    conn: Connection, chain: Chain, before: Mapping[str, tuple[int, bytes]] | None = None
) -> Iterator[Fault]:
    """Yield at most one fault per stream, the first broken link, and every row that waits too long for its number.

    `before` says per stream after which number and hash the rows of the table begin, when older ones are archived.

    Walks the streams that have a head, those that have rows, and those that must exist. No fault means that nothing
    was touched.
    """
    conn.exec_driver_sql(CANONICAL)
    heads = _heads(conn, chain)
    found = set(conn.scalars(text(f"select distinct stream from {chain.table}")))
    expected = set(conn.scalars(text(chain.expected_sql))) if chain.expected_sql else set()
    before = before or {}
    for stream in sorted(heads.keys() | found | expected | before.keys()):
        start = before.get(stream, (0, GENESIS))
        if fault := _verify_stream(conn, chain, stream, heads.get(stream), start):
            yield fault
        elif stream in expected and stream not in heads and stream not in found:
            yield Fault(chain=chain.name, stream=stream, no=0, kind="no_stream")
    yield from _waiting(conn, chain)


def _waiting(conn: Connection, chain: Chain) -> Iterator[Fault]:
    rows = conn.execute(
        text(
            f"select t.stream, t.id from {chain.table} t where t.chain_no is null"
            f" and t.{chain.at} < clock_timestamp() - make_interval(secs => :seconds) order by t.id limit 100"
        ),
        {"seconds": UNSEALED_S_MAX},
    )
    for row in rows:
        yield Fault(chain=chain.name, stream=row.stream, no=0, kind="unsealed", row=str(row.id))


def _verify_stream(
    conn: Connection,
    chain: Chain,
    stream: str,
    head: tuple[int, bytes] | None,
    start: tuple[int, bytes],
) -> Fault | None:
    fault, (no, previous) = walk(conn, chain, stream, start)
    if fault is not None:
        return fault
    if head is None:
        return Fault(chain=chain.name, stream=stream, no=no, kind="no_head") if no else None
    last_no, last_hash = head
    if no != last_no:
        return Fault(chain=chain.name, stream=stream, no=min(no, last_no) + 1, kind="missing")
    if previous != last_hash:
        return Fault(chain=chain.name, stream=stream, no=no, kind="head")
    return None


def walk(
    conn: Connection, chain: Chain, stream: str, start: tuple[int, bytes], *, last: int | None = None
) -> tuple[Fault | None, tuple[int, bytes]]:
    """The first broken link among the rows after `start`, at most up to the number `last`, and where it ended."""
    rows = conn.execute(
        text(
            f"select t.id, t.chain_no, t.chain_hash, {chain.content_sql} as content from {chain.table} t"
            " where t.stream = :stream and t.chain_no is not null and t.chain_no > :after"
            " and t.chain_no <= coalesce(cast(:last as bigint), t.chain_no) order by t.chain_no"
        ),
        {"stream": stream, "after": start[0] if last is not None else -1, "last": last},
        execution_options={"yield_per": 5_000},
    )
    no, previous = start
    for row in rows:
        no += 1
        if row.chain_no != no:
            return Fault(chain=chain.name, stream=stream, no=no, kind="missing"), (no, previous)
        previous = link(previous, no, row.content)
        if row.chain_hash is None or previous != bytes(row.chain_hash):
            altered = Fault(chain=chain.name, stream=stream, no=no, kind="altered", row=str(row.id))
            return altered, (no, previous)
    return None, (no, previous)


def head_of(conn: Connection, chain: str, stream: str) -> tuple[int, bytes]:
    """Number and hash of the last row of a stream, by its head; (0, GENESIS) when there is none."""
    row = conn.execute(
        text("select last_no, last_hash from chain_heads where chain = :chain and stream = :stream"),
        {"chain": chain, "stream": stream},
    ).one_or_none()
    return (row.last_no, bytes(row.last_hash)) if row else (0, GENESIS)


def _heads(conn: Connection, chain: Chain) -> dict[str, tuple[int, bytes]]:
    """The last number and hash of each stream."""
    rows = conn.execute(
        text("select stream, last_no, last_hash from chain_heads where chain = :chain"), {"chain": chain.name}
    )
    return {row.stream: (row.last_no, bytes(row.last_hash)) for row in rows}
