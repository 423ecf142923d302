"""The journal: its hash chain, one per book and year, whose numbers are the voucher numbers; entries and their lines."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, text

from finance.book import stream_of
from finance.kernel.posting import PostingLine
from finance.ledger.store.of_sales import lines_json
from shared.database import driver_of
from shared.row_log import Proof
from shared.transaction import Tx


class NewEntry(Struct, frozen=True, kw_only=True):
    """An entry to post: it balances. Its lines on accounts of a customer are those of `customer_id`."""

    booked_on: date
    branch_id: str
    kind: str
    source_id: str
    postings: Sequence[PostingLine]
    reference: str | None = None
    customer_id: str | None = None
    corrects_id: int | None = None
    """The entry that this one mirrors."""


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


def add_entries(tx: Tx, entries: Sequence[NewEntry]) -> None:
    """Post entries of a reaction, three statements for all; their months are held open by the caller.

    None of them corrects another, spends of a budget or touches an account of a customer.
    """
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


LINES = (
    "(select l.entry_id, l.no, l.booked_on, l.branch_id, l.account, l.customer_id, l.debit_fen, l.credit_fen,"
    " l.debit_fen - l.credit_fen as fen, e.kind, e.source_id, e.branch_id as of_branch, e.reference, e.chain_no"
    " from journal_lines l join journal_entries e on e.id = l.entry_id and e.booked_on = l.booked_on)"
)
"""Each line with what its entry says; whoever reads names days of `booked_on`, so that other months are not looked at."""


ENTRIES = "(select id, booked_on, branch_id, kind, source_id, reference, chain_no from journal_entries)"
"""Each entry without its lines, found by its id, its source or days of `booked_on`."""


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


_ADD_ENTRY = (
    "with e as (insert into journal_entries (booked_on, stream, branch_id, kind, source_id, total_fen,"
    " reference, corrects_id, actor, recorded_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning id)"
    " insert into journal_lines (entry_id, no, booked_on, branch_id, account, customer_id, debit_fen,"
    " credit_fen) select e.id, x.no, %s, %s, x.account, x.customer_id, x.debit, x.credit from e,"
    " json_to_recordset(%s::json) as x(no smallint, account text, customer_id uuid, debit bigint,"
    " credit bigint)"
)


def add_entry(tx: Tx, entry: NewEntry) -> None:
    """Post one entry, in one statement."""
    tx.conn.exec_driver_sql(
        _ADD_ENTRY,
        (
            entry.booked_on,
            stream_of(entry.booked_on),
            entry.branch_id,
            entry.kind,
            entry.source_id,
            sum(line.debit_fen for line in entry.postings),
            entry.reference,
            entry.corrects_id,
            tx.actor.id,
            tx.now,
            entry.booked_on,
            entry.branch_id,
            lines_json(entry.postings, entry.customer_id),
        ),
    )


PROOFS = (
    Proof(
        name="journal_lines belong to their journal_entries",
        relation="journal_lines",
        sql="select c::text from journal_lines c left join journal_entries p on p.id = c.entry_id"
        " and p.booked_on = c.booked_on where p.id is null",
    ),
)
