"""Hash chains: rows numbered and chained per stream after commit, so that no writer waits for another.

A chained table has the columns `id` (identity), `stream`, `chain_no` and `chain_hash`. `seal` gives unsealed
rows the next number of their stream and `hash = sha256(previous hash ‖ number ‖ content)`. `verify` recomputes
all of it and names the first row that was altered, removed or inserted.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

GENESIS = b"\0" * 32
SEAL_ROWS_MAX = 5_000


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
    rows = conn.execute(
        text(
            f"select t.id, t.{chain.partition_key}::text as part, t.stream, {chain.content_sql} as content"
            f" from {chain.table} t"
            " where t.chain_no is null order by t.id limit :limit"
        ),
        {"limit": limit},
    ).all()
    if not rows:
        return 0
    heads = {
        row.stream: (row.last_no, bytes(row.last_hash))
        for row in conn.execute(
            text("select stream, last_no, last_hash from chain_heads where chain = :chain"),
            {"chain": chain.name},
        )
    }
    numbers, hashes = [], []
    for row in rows:
        last_no, previous = heads.get(row.stream, (0, GENESIS))
        heads[row.stream] = last_no + 1, link(previous, last_no + 1, row.content)
        numbers.append(heads[row.stream][0])
        hashes.append(heads[row.stream][1])
    conn.execute(
        text(
            f"update {chain.table} t set chain_no = s.no, chain_hash = s.hash"
            f" from unnest(cast(:ids as bigint[]), cast(:parts as {chain.partition_type}[]),"
            " cast(:numbers as bigint[]), cast(:hashes as bytea[])) as s(id, part, no, hash)"
            f" where t.id = s.id and t.{chain.partition_key} = s.part and t.chain_no is null"
        ),
        {
            "ids": [row.id for row in rows],
            "parts": [row.part for row in rows],
            "numbers": numbers,
            "hashes": hashes,
        },
    )
    conn.execute(
        text(
            "insert into chain_heads (chain, stream, last_no, last_hash) values (:chain, :stream, :no, :last)"
            " on conflict (chain, stream) do update set last_no = excluded.last_no,"
            " last_hash = excluded.last_hash"
        ),
        [
            {"chain": chain.name, "stream": stream, "no": heads[stream][0], "last": heads[stream][1]}
            for stream in {row.stream for row in rows}
        ],
    )
    return len(rows)


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
