"""The journal's hash chain: one per book and year, its numbers are the voucher numbers."""

from shared.chain import Chain

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
