"""Hash chains: rows numbered and chained per stream after commit, so that no writer waits for another.

A chained table has the columns `id` (identity), `stream`, `chain_no` and `chain_hash`. `seal` gives unsealed
rows the next number of their stream and `hash = sha256(previous hash ‖ number ‖ content)`. `verify` recomputes
all of it and names the first row that was altered, removed or inserted.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from shared.database import driver_of

GENESIS = b"\0" * 32
SEAL_ROWS_MAX = 20_000
"""About 20 MB of rows, and half a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """`content_sql` is an SQL expression over the row alias `t` that yields the text to hash.

    `partition_key` and its type name the column a partitioned table is divided by: sealing looks into no other part.
    """

    name: str
    table: str
    content_sql: str
    partition_key: str = "id"
    partition_type: str = "bigint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A broken link: `kind` is `altered`, `missing` or `head`."""

    chain: str
    stream: str
    no: int
    kind: str


def link(previous: bytes, no: int, content: str) -> bytes:
    return hashlib.sha256(previous + no.to_bytes(8, "big") + content.encode()).digest()


def seal(conn: Connection, chain: Chain, *, limit: int = SEAL_ROWS_MAX) -> int:
    """Seal up to `limit` rows in the caller's transaction; one sealer at a time by advisory lock."""
    if not conn.execute(
        text("select pg_try_advisory_xact_lock(hashtextextended('seal:' || :name, 0))"), {"name": chain.name}
    ).scalar():
        return 0
    heads = {
        row.stream: (row.last_no, bytes(row.last_hash))
        for row in conn.execute(
            text("select stream, last_no, last_hash from chain_heads where chain = :chain"),
            {"chain": chain.name},
        )
    }
    rows = _unsealed(conn, chain, limit)
    if not rows:
        return 0
    numbers, hashes = [], []
    for _, _, stream, content in rows:
        last_no, previous = heads.get(stream, (0, GENESIS))
        heads[stream] = last_no + 1, link(previous, last_no + 1, content)
        numbers.append(last_no + 1)
        hashes.append(heads[stream][1])
    _write_seals(conn, chain, rows, numbers, hashes)
    conn.execute(
        text(
            "insert into chain_heads (chain, stream, last_no, last_hash) values (:chain, :stream, :no, :last)"
            " on conflict (chain, stream) do update set last_no = excluded.last_no,"
            " last_hash = excluded.last_hash"
        ),
        [
            {"chain": chain.name, "stream": stream, "no": heads[stream][0], "last": heads[stream][1]}
            for stream in {row[2] for row in rows}
        ],
    )
    return len(rows)


def _unsealed(conn: Connection, chain: Chain, limit: int) -> list[tuple[int, Any, str, str]]:
    """(id, partition key, stream, content) of the oldest rows without a number. psycopg's own rows: there are many."""
    content_sql = chain.content_sql.replace("%", "%%")
    with driver_of(conn) as driver:
        return (
            driver.cursor(binary=True)
            .execute(
                f"select t.id, t.{chain.partition_key}, t.stream, {content_sql} from {chain.table} t"
                " where t.chain_no is null order by t.id limit %s",
                (limit,),
            )
            .fetchall()
        )


def _write_seals(
    conn: Connection,
    chain: Chain,
    rows: Sequence[tuple[int, Any, str, str]],
    numbers: Sequence[int],
    hashes: Sequence[bytes],
) -> None:
    ids, parts = [row[0] for row in rows], [row[1] for row in rows]
    # The bounds keep the statement to the rows of this batch: without them each batch reads all that is unsealed.
    with driver_of(conn) as driver:
        driver.execute(
            f"update {chain.table} t set chain_no = s.no, chain_hash = s.hash"
            f" from unnest(%b::bigint[], %b::{chain.partition_type}[], %b::bigint[], %b::bytea[])"
            " as s(id, part, no, hash)"
            f" where t.id = s.id and t.{chain.partition_key} = s.part and t.chain_no is null"
            f" and t.id between %b and %b and t.{chain.partition_key} between %b and %b",
            (ids, parts, list(numbers), list(hashes), ids[0], ids[-1], min(parts), max(parts)),
        )


def verify(conn: Connection, chain: Chain) -> Iterator[Fault]:
    """Yield at most one fault per stream: the first broken link. No fault means nothing was touched."""
    heads = conn.execute(
        text("select stream, last_no, last_hash from chain_heads where chain = :chain order by stream"),
        {"chain": chain.name},
    ).all()
    for head in heads:
        fault = _verify_stream(conn, chain, head.stream, head.last_no, bytes(head.last_hash))
        if fault:
            yield fault


def _verify_stream(
    conn: Connection, chain: Chain, stream: str, last_no: int, last_hash: bytes
) -> Fault | None:
    rows = conn.execute(
        text(
            f"select t.chain_no, t.chain_hash, {chain.content_sql} as content from {chain.table} t"
            " where t.stream = :stream and t.chain_no is not null order by t.chain_no"
        ),
        {"stream": stream},
        execution_options={"yield_per": 5_000},
    )
    previous, no = GENESIS, 0
    for row in rows:
        no += 1
        if row.chain_no != no:
            return Fault(chain=chain.name, stream=stream, no=no, kind="missing")
        previous = link(previous, no, row.content)
        if previous != bytes(row.chain_hash):
            return Fault(chain=chain.name, stream=stream, no=no, kind="altered")
    if no != last_no:
        return Fault(chain=chain.name, stream=stream, no=no + 1, kind="missing")
    if previous != last_hash:
        return Fault(chain=chain.name, stream=stream, no=no, kind="head")
    return None
