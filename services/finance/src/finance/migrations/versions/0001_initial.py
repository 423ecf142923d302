"""Everything finance starts with: tables, months made on demand, guards of the journal, the chart of accounts."""

import json
import os
from importlib.resources import files

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from finance.settings import new_book

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ENSURE_MONTH = """
create function ensure_month(wanted date) returns void language plpgsql as $$
declare
    first date := date_trunc('month', wanted)::date;
    parent text;
    child text;
begin
    if exists (select from periods where month = first) then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('finance:ensure_month', 0));
    if exists (select from periods where month = first) then
        return;
    end if;
    foreach parent in array array['sales', 'sale_lines', 'tenders', 'journal_entries', 'journal_lines'] loop
        child := format('%s_y%sm%s', parent, to_char(first, 'YYYY'), to_char(first, 'MM'));
        -- ATTACH lets tills write on; PARTITION OF would lock every one of them out
        execute format('create table %I (like %I including defaults including constraints)', child, parent);
        execute format('alter table %I attach partition %I for values from (%L) to (%L)',
                       parent, child, first, (first + interval '1 month')::date);
    end loop;
    -- nothing may slip in before a closed month: its balances are frozen
    insert into periods (month, state)
    select first, case when exists (select from periods where month > first and state <> 'open')
        then 'soft_closed' else 'open' end;
end $$
"""

# Volatile on purpose: the state is read in a snapshot taken after the lock was given, so a till that waited for a
# closing sees the month closed. 7101 is repository.PERIOD_LOCK.
HOLD_MONTH = """
create function hold_month(wanted date) returns text language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock_shared(7101, extract(year from wanted)::int * 100 + extract(month from wanted)::int);
    return (select state from periods where month = wanted);
end $$
"""

# Every statement that writes journal lines writes whole entries: each of them balances or the statement fails.
BALANCE = """
create function journal_lines_balance() returns trigger language plpgsql as $$
begin
    if exists (
        select from added group by entry_id having sum(debit_fen) <> sum(credit_fen)
    ) then
        raise exception 'an entry does not balance' using errcode = 'check_violation';
    end if;
    return null;
end $$
"""

APPEND_ONLY = """
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$
"""

# The only change an entry ever sees: its number and hash, once.
SEAL_ONLY = """
create trigger append_only before update on journal_entries for each row
when (
    old.chain_no is not null or new.chain_no is null or new.chain_hash is null
    or (old.id, old.booked_on, old.stream, old.branch_id, old.kind, old.source_id, old.total_fen, old.actor,
        old.recorded_at)
        <> (new.id, new.booked_on, new.stream, new.branch_id, new.kind, new.source_id, new.total_fen, new.actor,
        new.recorded_at)
    or old.reference is distinct from new.reference or old.corrects_id is distinct from new.corrects_id
) execute function refuse_change()
"""


def guards() -> None:
    op.execute(ENSURE_MONTH)
    op.execute(HOLD_MONTH)
    op.execute(BALANCE)
    op.execute(APPEND_ONLY)
    op.execute(SEAL_ONLY)
    op.execute(
        "create trigger balance after insert on journal_lines referencing new table as added"
        " for each statement execute function journal_lines_balance()"
    )
    for table in ("sales", "sale_lines", "tenders", "journal_lines"):
        op.execute(
            f"create trigger append_only before update on {table} for each row execute function refuse_change()"
        )
    for table in ("sales", "sale_lines", "tenders", "journal_lines", "journal_entries"):
        op.execute(
            f"create trigger no_delete before delete on {table} for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger no_truncate before truncate on {table} for each statement"
            " execute function refuse_change()"
        )


def chart_of_accounts() -> None:
    rows = json.loads((files("finance") / "kernel" / "data" / "chart_of_accounts.json").read_text())[
        "accounts"
    ]
    table = sa.table(
        "accounts", *(sa.column(name) for name in ("standard", "code", "meaning", "zh", "en", "type", "leaf"))
    )
    op.bulk_insert(
        table,
        [
            {
                "standard": standard,
                "code": row[standard],
                **{name: row[name] for name in ("meaning", "zh", "en", "type", "leaf")},
            }
            for standard in ("small", "cas")
            for row in rows
            if row[standard]
        ],
    )
    standard, begins_on = new_book(os.environ)
    book = sa.text("insert into books (code, standard, begins_on) values ('main', :standard, :begins_on)")
    op.execute(book.bindparams(standard=standard, begins_on=begins_on))


def upgrade() -> None:
    op.execute("create sequence journal_entry_ids as bigint")
    op.create_table(
        "accounts",
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("leaf", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("standard", "code", name=op.f("pk_accounts")),
        sa.UniqueConstraint("standard", "meaning", name=op.f("uq_accounts_standard_meaning")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before_hash", sa.Text(), nullable=True),
        sa.Column("after_hash", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("chain_no", sa.BigInteger(), nullable=True),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(
        "audit_sealed",
        "audit",
        ["stream", "chain_no"],
        unique=True,
        postgresql_where=sa.text("chain_no is not null"),
    )
    op.create_index("audit_subject", "audit", ["subject"], unique=False)
    op.create_index(
        "audit_unsealed", "audit", ["id"], unique=False, postgresql_where=sa.text("chain_no is null")
    )
    op.create_table(
        "books",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.CheckConstraint("standard in ('small', 'cas')", name=op.f("ck_books_standard")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_books")),
    )
    op.create_table(
        "chain_heads",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("last_no", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "stream", name=op.f("pk_chain_heads")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "actor", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("source", "seq", name=op.f("pk_inbox")),
    )
    op.create_table(
        "journal_entries",
        sa.Column(
            "id", sa.BigInteger(), server_default=sa.text("nextval('journal_entry_ids')"), nullable=False
        ),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("corrects_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chain_no", sa.BigInteger(), nullable=True),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("total_fen > 0", name=op.f("ck_journal_entries_total")),
        sa.PrimaryKeyConstraint("id", "booked_on", name=op.f("pk_journal_entries")),
        sa.UniqueConstraint(
            "source_id", "kind", "booked_on", name=op.f("uq_journal_entries_source_id_kind_booked_on")
        ),
        postgresql_partition_by="RANGE (booked_on)",
    )
    op.create_index(
        "journal_entries_sealed",
        "journal_entries",
        ["stream", "chain_no", "booked_on"],
        unique=True,
        postgresql_where=sa.text("chain_no is not null"),
    )
    op.create_index(
        "journal_entries_unsealed",
        "journal_entries",
        ["id"],
        unique=False,
        postgresql_where=sa.text("chain_no is null"),
    )
    op.create_table(
        "journal_lines",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.SmallInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("debit_fen", sa.BigInteger(), nullable=False),
        sa.Column("credit_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "debit_fen >= 0 and credit_fen >= 0 and (debit_fen = 0) <> (credit_fen = 0)",
            name=op.f("ck_journal_lines_one_side"),
        ),
        sa.PrimaryKeyConstraint("entry_id", "no", "booked_on", name=op.f("pk_journal_lines")),
        postgresql_partition_by="RANGE (booked_on)",
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("aggregate", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("correlation_id", sa.Text(), nullable=True),
        sa.Column("causation_id", sa.Text(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint(
            "aggregate", "subject", "version", name=op.f("uq_outbox_aggregate_subject_version")
        ),
        sa.UniqueConstraint("event_id", name=op.f("uq_outbox_event_id")),
    )
    op.create_index("outbox_seq", "outbox", ["seq"], unique=True, postgresql_where=sa.text("seq is not null"))
    op.create_index(
        "outbox_unsequenced", "outbox", ["id"], unique=False, postgresql_where=sa.text("seq is null")
    )
    op.create_table(
        "outbox_head",
        sa.Column("one", sa.SmallInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_outbox_head")),
    )
    op.create_table(
        "outbox_totals",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "type", name=op.f("pk_outbox_totals")),
    )
    op.create_table(
        "parked_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("state", sa.Text(), server_default="parked", nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_reason", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('parked', 'redriven', 'discarded')", name=op.f("ck_parked_events_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked_events")),
    )
    op.create_index(
        "parked_events_open",
        "parked_events",
        ["source", "seq"],
        unique=False,
        postgresql_where=sa.text("state = 'parked'"),
    )
    op.create_table(
        "period_balances",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("debit_fen", sa.BigInteger(), nullable=False),
        sa.Column("credit_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", "account", "branch_id", name=op.f("pk_period_balances")),
    )
    op.create_table(
        "periods",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locked_by", sa.Text(), nullable=True),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('open', 'soft_closed', 'locked')", name=op.f("ck_periods_state")),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("ck_periods_first_day")),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_periods")),
    )
    op.create_table(
        "receipts",
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("receipt_number", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("branch_id", "receipt_number", name=op.f("pk_receipts")),
        sa.UniqueConstraint("sale_id", name=op.f("uq_receipts_sale_id")),
    )
    op.create_table(
        "refund_lines",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.SmallInteger(), nullable=False),
        sa.Column("return_line_id", sa.Text(), nullable=False),
        sa.Column("sale_line_id", sa.Uuid(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("refund_id", "no", name=op.f("pk_refund_lines")),
    )
    op.create_table(
        "refund_tenders",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("tender", sa.Text(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_refund_tenders_fen")),
        sa.PrimaryKeyConstraint("refund_id", "tender", name=op.f("pk_refund_tenders")),
    )
    op.create_table(
        "refunds",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("total_fen >= 0", name=op.f("ck_refunds_total")),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("return_id", name=op.f("uq_refunds_return_id")),
    )
    op.create_index("refunds_sale", "refunds", ["sale_id"], unique=False)
    op.create_table(
        "relay_cursor",
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("confirmed_seq", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("partition", name=op.f("pk_relay_cursor")),
    )
    op.create_table(
        "sale_lines",
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.SmallInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("generic_name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("temp_class", sa.Text(), nullable=False),
        sa.Column("dosage_form", sa.Text(), nullable=True),
        sa.Column("specification", sa.Text(), nullable=True),
        sa.Column("mah", sa.Text(), nullable=True),
        sa.Column("maker", sa.Text(), nullable=True),
        sa.Column("approval_number", sa.Text(), nullable=True),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("expiry", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("discount_fen", sa.BigInteger(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_bp", sa.Integer(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_sale_lines_quantity")),
        sa.PrimaryKeyConstraint("sale_id", "no", "booked_on", name=op.f("pk_sale_lines")),
        postgresql_partition_by="RANGE (booked_on)",
    )
    op.create_index("sale_lines_lot", "sale_lines", ["product_id", "lot"], unique=False)
    op.create_table(
        "sales",
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("receipt_number", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sold_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=False),
        sa.Column("posted_by", sa.Text(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sale_id", "booked_on", name=op.f("pk_sales")),
        postgresql_partition_by="RANGE (booked_on)",
    )
    op.create_table(
        "source_state",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("contiguous_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pruned_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("max_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("head_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("advanced_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_state")),
    )
    op.create_table(
        "statement_decisions",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("statement_id", "role", name=op.f("pk_statement_decisions")),
        sa.UniqueConstraint(
            "statement_id", "person", name=op.f("uq_statement_decisions_statement_id_person")
        ),
    )
    op.create_table(
        "statement_errors",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("reported_fen", sa.BigInteger(), nullable=False),
        sa.Column("correct_fen", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("material", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("statement_id", "line", name=op.f("pk_statement_errors")),
    )
    op.create_table(
        "statements",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("as_of", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("prepared_by", sa.Text(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("on_time", sa.Boolean(), nullable=True),
        sa.CheckConstraint("kind in ('balance', 'income')", name=op.f("ck_statements_kind")),
        sa.CheckConstraint(
            "state in ('prepared', 'reviewed', 'signed', 'published', 'restated')",
            name=op.f("ck_statements_state"),
        ),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_statements")),
        sa.UniqueConstraint("kind", "month", "version", name=op.f("uq_statements_kind_month_version")),
    )
    op.create_table(
        "tenders",
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("tender", sa.Text(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_tenders_fen")),
        sa.PrimaryKeyConstraint("sale_id", "tender", "booked_on", name=op.f("pk_tenders")),
        postgresql_partition_by="RANGE (booked_on)",
    )
    op.create_table(
        "trade_permissions",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("categories", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_trade_permissions")),
    )
    guards()
    chart_of_accounts()


def downgrade() -> None:
    op.drop_table("trade_permissions")
    op.drop_table("tenders")
    op.drop_table("statements")
    op.drop_table("statement_errors")
    op.drop_table("statement_decisions")
    op.drop_table("source_state")
    op.drop_table("sales")
    op.drop_index("sale_lines_lot", table_name="sale_lines")
    op.drop_table("sale_lines")
    op.drop_table("relay_cursor")
    op.drop_index("refunds_sale", table_name="refunds")
    op.drop_table("refunds")
    op.drop_table("refund_tenders")
    op.drop_table("refund_lines")
    op.drop_table("receipts")
    op.drop_table("periods")
    op.drop_table("period_balances")
    op.drop_index(
        "parked_events_open", table_name="parked_events", postgresql_where=sa.text("state = 'parked'")
    )
    op.drop_table("parked_events")
    op.drop_table("outbox_totals")
    op.drop_table("outbox_head")
    op.drop_index("outbox_unsequenced", table_name="outbox", postgresql_where=sa.text("seq is null"))
    op.drop_index("outbox_seq", table_name="outbox", postgresql_where=sa.text("seq is not null"))
    op.drop_table("outbox")
    op.drop_table("journal_lines")
    op.drop_index(
        "journal_entries_unsealed", table_name="journal_entries", postgresql_where=sa.text("chain_no is null")
    )
    op.drop_index(
        "journal_entries_sealed",
        table_name="journal_entries",
        postgresql_where=sa.text("chain_no is not null"),
    )
    op.drop_table("journal_entries")
    op.drop_table("inbox")
    op.drop_index("idempotency_keys_created_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("chain_heads")
    op.drop_table("books")
    op.drop_index("audit_unsealed", table_name="audit", postgresql_where=sa.text("chain_no is null"))
    op.drop_index("audit_subject", table_name="audit")
    op.drop_index("audit_sealed", table_name="audit", postgresql_where=sa.text("chain_no is not null"))
    op.drop_table("audit")
    op.drop_table("accounts")
    op.execute("drop sequence journal_entry_ids")
    op.execute("drop function ensure_month, hold_month, journal_lines_balance, refuse_change")
