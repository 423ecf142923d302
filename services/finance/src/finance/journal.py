"""The journal: its hash chain, one per book and year, whose numbers are the voucher numbers; entries of a batch.

And what vouches for sales. A till writes a sale in one statement and many rows; nothing is hashed while it waits.
Entries are sealed with all their lines by the chain; sales with their lines, tenders and receipt are written down
after commit, in the order of their events. PROOFS set entries, sales, events and audit against each other, so that
one of them alone can neither be added nor taken away.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from finance import tables as t
from finance.booking import stream_of
from finance.kernel.metadata import metadata
from finance.kernel.posting import PostingLine
from shared.chain import Chain, moment
from shared.database import driver_of
from shared.row_log import Followed, Proof, content_of
from shared.transaction import Tx

CHAIN = Chain(
    name="journal",
    table="journal_entries",
    partition_key="booked_on",
    partition_type="date",
    at="recorded_at",
    content_sql="json_build_array(t.id, t.booked_on, t.branch_id, t.kind, t.source_id, t.total_fen, t.reference,"
    f" t.corrects_id, t.actor, {moment('t.recorded_at')},"
    " (select json_agg(json_build_array(l.no, l.branch_id, l.account, l.customer_id, l.debit_fen, l.credit_fen)"
    " order by l.no) from journal_lines l where l.entry_id = t.id and l.booked_on = t.booked_on))::text",
    expected_sql="select distinct 'main-' || extract(year from month) from running_balances",
)

_PART = "(select string_agg({content}, '' order by c.{order}) from {table} c where {joined})"
_SALE = "c.sale_id = t.sale_id and c.booked_on = t.booked_on"
SALES = Followed(
    relation="sales",
    key_sql="jsonb_build_array(t.sale_id)::text",
    content_sql=f"concat({content_of(t.sales, 't')}, "
    + ", ".join(
        _PART.format(content=content_of(table, "c"), table=table.name, order=order, joined=joined)
        for table, order, joined in (
            (t.sale_lines, "no", _SALE),
            (t.tenders, "tender", _SALE),
            (t.receipts, "sale_id", "c.branch_id = t.branch_id and c.receipt_number = t.receipt_number"),
        )
    )
    + ")",
    rows_sql="outbox o join sales t on o.aggregate = 'sale' and o.version = 1 and t.sale_id = o.subject::uuid"
    " and t.booked_on = o.day and t.total_fen = o.amount_fen",
    event_sql="o.aggregate = 'sale' and o.version = 1 and o.subject = cast(:key as jsonb) ->> 0",
)
OUTBOX = metadata.tables["outbox"]
EVENTS = Followed(
    relation="outbox",
    key_sql="jsonb_build_array(t.id, t.month)::text",
    content_sql=content_of(OUTBOX, "t", OUTBOX.info["apart"]),
    rows_sql="outbox o join outbox t on t.id = o.id and t.month = o.month and o.aggregate = 'sale'",
    event_sql="o.id = (cast(:key as jsonb) ->> 0)::bigint and o.aggregate = 'sale'",
)
PROOFS = (
    Proof(
        name="a sale has one event, and an event of a sale its sale",
        relation="sales",
        sql="select coalesce(s.sale_id::text, o.subject) from sales s full join"
        " (select subject, day, amount_fen, branch.id as branch_id from outbox,"
        " lateral (select data ->> 'branch_id' as id) branch where aggregate = 'sale' and version = 1) o"
        " on o.subject = s.sale_id::text"
        " where (s.booked_on, s.total_fen, s.branch_id) is distinct from (o.day, o.amount_fen, o.branch_id)"
        # the event of an old sale is in a file
        " and not (o.subject is null and exists (select from log_archives a where a.month >="
        " date_trunc('month', s.posted_at at time zone 'UTC')))",
    ),
    Proof(
        name="a sale of money has one entry, and an entry of a sale its sale",
        relation="journal_entries",
        sql="select coalesce(s.sale_id, e.source_id)::text from"
        " (select sale_id, branch_id, booked_on, total_fen from sales) s full join"
        " (select source_id, min(branch_id) as branch_id, min(booked_on) as booked_on, count(*) as entries"
        " from journal_entries where kind = 'sale' group by source_id) e on e.source_id = s.sale_id"
        " where s.sale_id is null or (e.source_id is null and s.total_fen > 0)"
        " or e.entries > 1 or e.branch_id <> s.branch_id or e.booked_on <> s.booked_on",
    ),
    Proof(
        name="who posted a sale is in the audit once",
        relation="audit",
        sql="select a.subject from audit a left join sales s on s.sale_id::text = a.subject"
        " where a.action = 'sale.post' group by a.subject, s.sale_id having s.sale_id is null or count(*) > 1",
    ),
    *(
        Proof(
            name=f"{table} belong to their {parent}",
            relation=table,
            sql=f"select c::text from {table} c left join {parent} p on {on} where p.{key} is null",
        )
        for table, parent, key, on in (
            ("sale_lines", "sales", "sale_id", "p.sale_id = c.sale_id and p.booked_on = c.booked_on"),
            ("tenders", "sales", "sale_id", "p.sale_id = c.sale_id and p.booked_on = c.booked_on"),
            ("journal_lines", "journal_entries", "id", "p.id = c.entry_id and p.booked_on = c.booked_on"),
            (
                "receipts",
                "sales",
                "sale_id",
                "row(p.sale_id, p.booked_on, p.branch_id, p.receipt_number) = row(c.sale_id, c.booked_on, c.branch_id, c.receipt_number)",
            ),
        )
    ),
    Proof(
        name="running balances are the sums of sealed lines",
        relation="running_balances",
        sql="select concat_ws(' ', month, account, branch_id, is_transfer) from running_balances b full join"
        " (select date_trunc('month', l.booked_on)::date as month, l.account, l.branch_id,"
        " e.kind in ('year_result', 'year_transfer') as is_transfer, sum(l.debit_fen) as debit, sum(l.credit_fen) as credit"
        " from journal_entries e join journal_lines l on l.entry_id = e.id and l.booked_on = e.booked_on"
        " where e.chain_no is not null group by 1, 2, 3, 4) j using (month, account, branch_id, is_transfer)"
        " where (b.debit_fen, b.credit_fen) is distinct from (j.debit, j.credit)",
    ),
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
