"""The journal: its hash chain, one per book and year, whose numbers are the voucher numbers; entries of a batch."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from finance.booking import stream_of
from finance.domain.posting import PostingLine
from shared.chain import Chain
from shared.database import driver_of
from shared.transaction import Tx

CHAIN = Chain(
    name="journal",
    table="journal_entries",
    partition_key="booked_on",
    partition_type="date",
    content_sql="json_build_array(t.id, t.booked_on, t.branch_id, t.kind, t.source_id, t.total_fen, t.reference,"
    " t.corrects_id, t.actor, t.recorded_at,"
    " (select json_agg(json_build_array(l.account, l.customer_id, l.debit_fen, l.credit_fen) order by l.no)"
    " from journal_lines l where l.entry_id = t.id and l.booked_on = t.booked_on))::text",
)


class Entry(Struct, frozen=True):
    """An entry of a batch: it balances, spends of no budget and touches no account of a customer."""

    booked_on: date
    branch_id: str
    kind: str
    source_id: str
    postings: Sequence[PostingLine]
    reference: str | None


_ADD_ENTRIES = """
with given as (
    select * from unnest(%s::bigint[], %s::date[], %s::text[], %s::text[], %s::text[], %s::uuid[], %s::bigint[],
        %s::text[]) as g(id, booked_on, stream, branch_id, kind, source_id, total_fen, reference)
)
insert into journal_entries (id, booked_on, stream, branch_id, kind, source_id, total_fen, reference, actor,
    recorded_at)
select id, booked_on, stream, branch_id, kind, source_id, total_fen, reference, %s, %s from given
"""
_ADD_LINES = """
insert into journal_lines (entry_id, no, booked_on, branch_id, account, debit_fen, credit_fen)
select * from unnest(%s::bigint[], %s::smallint[], %s::date[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])
"""


def add_entries(tx: Tx, entries: Sequence[Entry]) -> None:
    """Post entries of a reaction, three statements for all; their months are held open by the caller."""
    with driver_of(tx.conn) as driver:
        numbers = driver.execute(
            "select nextval('journal_entry_ids') from generate_series(1, %s)", (len(entries),)
        ).fetchall()
        pairs = [(number, each) for (number,), each in zip(numbers, entries, strict=True)]
        rows = [
            (
                number,
                each.booked_on,
                stream_of(each.booked_on),
                each.branch_id,
                each.kind,
                each.source_id,
                sum(line.debit_fen for line in each.postings),
                each.reference,
            )
            for number, each in pairs
        ]
        lines = [
            (number, no, each.booked_on, each.branch_id, line.account, line.debit_fen, line.credit_fen)
            for number, each in pairs
            for no, line in enumerate(each.postings, 1)
        ]
        with driver.pipeline():
            driver.execute(_ADD_ENTRIES, [*_columns(rows), tx.actor.id, tx.now])
            driver.execute(_ADD_LINES, _columns(lines))


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
