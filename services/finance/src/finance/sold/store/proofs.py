"""What vouches for sales. A till writes a sale in one statement and many rows; nothing is hashed while it waits.

Entries are sealed with all their lines by the journal's chain; sales with their lines, tenders and receipt are written
down after commit, in the order of their events. PROOFS set entries, sales, events and audit against each other, so that
one of them alone can neither be added nor taken away.
"""

from finance import channel_transactions, ledger, receipts
from finance.kernel.metadata import metadata
from finance.sold import tables as t
from shared.row_log import Followed, Proof, content_of

_PART = "(select string_agg({content}, '' order by c.{order}) from {table} c where {joined})"
_SALE = "c.sale_id = t.sale_id and c.booked_on = t.booked_on"
_SALES = Followed(
    relation="sales",
    key_sql="jsonb_build_array(t.sale_id)::text",
    content_sql=f"concat({content_of(t.sales, 't')}, "
    + ", ".join(
        _PART.format(content=content_of(table, "c"), table=table.name, order=order, joined=joined)
        for table, order, joined in (
            (t.sale_lines, "no", _SALE),
            (t.tenders, "tender, c.no", _SALE),
        )
    )
    + f", {receipts.CONTENT})",
    rows_sql="outbox o join sales t on o.aggregate = 'sale' and o.version = 1 and t.sale_id = o.subject::uuid"
    " and t.booked_on = o.day and t.total_fen = o.amount_fen",
    event_sql="o.aggregate = 'sale' and o.version = 1 and o.subject = cast(:key as jsonb) ->> 0",
)
_ENTRIES = (
    "(select source_id, min(branch_id) as branch_id, min(booked_on) as booked_on, count(*) as entries"
    f" from {ledger.ENTRIES} x where kind = 'sale' group by source_id)"
)
"""What the journal has of each sale."""
OUTBOX = metadata.tables["outbox"]
_EVENTS = Followed(
    relation="outbox",
    key_sql="jsonb_build_array(t.id, t.month)::text",
    content_sql=content_of(OUTBOX, "t", OUTBOX.info["apart"]),
    rows_sql="outbox o join outbox t on t.id = o.id and t.month = o.month and o.aggregate = 'sale'",
    event_sql="o.id = (cast(:key as jsonb) ->> 0)::bigint and o.aggregate = 'sale'",
)
FOLLOWED = (_SALES, _EVENTS)
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
        f" {_ENTRIES} e on e.source_id = s.sale_id"
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
        )
    ),
    receipts.belong_to("sales"),
    channel_transactions.belong_to("tenders"),
)
