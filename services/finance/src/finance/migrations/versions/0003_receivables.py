"""Finance: what customers owe: open items, payments, allocations, write-offs, statements of account, dunning."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Terms of the customer on the day, else those given. Shares are cut at cumulated sums, so they add up to the total.
INSTALMENTS = """
create function receivable_instalments(wanted uuid, day date, total bigint, fallback jsonb)
returns table (no smallint, due_on date, fen bigint) language sql stable as $$
    with parts as (
        select coalesce(
            (select instalments from credit_terms where customer_id = wanted and effective_from <= day
             order by effective_from desc limit 1), fallback) as list
    ), part as (
        select n::smallint as no, (p ->> 'days')::int as days,
            sum((p ->> 'share_bp')::int) over (order by n) as until_bp, (p ->> 'share_bp')::int as share_bp
        from parts, jsonb_array_elements(parts.list) with ordinality as x(p, n)
    ), cut as (
        select no, day + days as due_on,
            (div(total::numeric * until_bp, 10000) - div(total::numeric * (until_bp - share_bp), 10000))::bigint as fen
        from part
    )
    select no, due_on, fen from cut where fen > 0
$$
"""

# What an item is never changes; only how much of it is open, and what is known of it.
ITEMS_KEEP = """
create trigger append_only before update on receivable_items for each row
when (
    (old.item_id, old.customer_id, old.branch_id, old.kind, old.source_id, old.instalment, old.booked_on, old.due_on,
     old.amount_fen)
    <> (new.item_id, new.customer_id, new.branch_id, new.kind, new.source_id, new.instalment, new.booked_on,
        new.due_on, new.amount_fen)
    or old.principal_id is distinct from new.principal_id
) execute function refuse_change()
"""

# What was owed before there were items: one item per line on 1122.
OF_EARLIER_ENTRIES = """
insert into receivable_items
    (customer_id, branch_id, kind, source_id, instalment, booked_on, due_on, amount_fen, open_fen)
select l.customer_id, l.branch_id,
    case e.kind when 'sale' then 'sale' when 'refund_paid' then 'credit_note' else 'other' end, e.source_id, l.no,
    l.booked_on, l.booked_on + case e.kind when 'sale' then 30 else 0 end,
    l.debit_fen - l.credit_fen, l.debit_fen - l.credit_fen
from journal_lines l join journal_entries e on e.id = l.entry_id and e.booked_on = l.booked_on
where l.account = '1122'
"""


def upgrade() -> None:
    op.create_table(
        "receivable_items",
        sa.Column("item_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("instalment", sa.SmallInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("open_fen", sa.BigInteger(), nullable=False),
        sa.Column("written_off_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("disputed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dispute_reason", sa.Text(), nullable=True),
        sa.Column("principal_id", sa.Uuid(), nullable=True),
        sa.Column("interest_through", sa.Date(), nullable=True),
        sa.Column("interest_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("told_days", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "kind in ('sale', 'interest', 'payment_reversal', 'other', 'credit_note', 'payment', 'write_off')",
            name=op.f("ck_receivable_items_kind"),
        ),
        sa.CheckConstraint(
            "amount_fen > 0 and open_fen between 0 and amount_fen or amount_fen < 0 and open_fen between amount_fen and 0",
            name=op.f("ck_receivable_items_open"),
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_receivable_items")),
        sa.UniqueConstraint(
            "source_id", "kind", "instalment", name=op.f("uq_receivable_items_source_id_kind_instalment")
        ),
    )
    op.create_index("receivable_items_customer", "receivable_items", ["customer_id", "item_id"], unique=False)
    op.create_index(
        "receivable_items_due",
        "receivable_items",
        ["due_on"],
        unique=False,
        postgresql_where=sa.text("open_fen > 0"),
    )
    op.create_index(
        "receivable_items_open",
        "receivable_items",
        ["customer_id", "branch_id"],
        unique=False,
        postgresql_where=sa.text("open_fen <> 0"),
    )
    op.create_index(
        "receivable_items_principal",
        "receivable_items",
        ["principal_id"],
        unique=False,
        postgresql_where=sa.text("principal_id is not null"),
    )
    op.create_table(
        "receivable_allocations",
        sa.Column("allocation_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("debt_id", sa.Uuid(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("allocated_on", sa.Date(), nullable=False),
        sa.Column("undoes", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "fen <> 0 and (fen < 0) = (undoes is not null)", name=op.f("ck_receivable_allocations_fen")
        ),
        sa.PrimaryKeyConstraint("allocation_id", name=op.f("pk_receivable_allocations")),
        sa.UniqueConstraint("undoes", name=op.f("uq_receivable_allocations_undoes")),
    )
    op.create_index("receivable_allocations_credit", "receivable_allocations", ["credit_id"], unique=False)
    op.create_index("receivable_allocations_day", "receivable_allocations", ["allocated_on"], unique=False)
    op.create_index("receivable_allocations_debt", "receivable_allocations", ["debt_id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("tender", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reversed_on", sa.Date(), nullable=True),
        sa.Column("reversal_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payments_amount")),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_payments")),
    )
    op.create_index("payments_customer", "payments", ["customer_id", "payment_id"], unique=False)
    op.create_index(
        "payments_reference",
        "payments",
        ["tender", "reference"],
        unique=True,
        postgresql_where=sa.text("reversed_on is null"),
    )
    op.create_table(
        "credit_terms",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("instalments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "effective_from", name=op.f("pk_credit_terms")),
    )
    op.create_table(
        "write_offs",
        sa.Column("write_off_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "state in ('requested', 'rejected', 'written_off')", name=op.f("ck_write_offs_state")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_write_offs_amount")),
        sa.PrimaryKeyConstraint("write_off_id", name=op.f("pk_write_offs")),
    )
    op.create_index(
        "write_offs_requested",
        "write_offs",
        ["item_id"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    )
    op.create_table(
        "write_off_decisions",
        sa.Column("write_off_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("write_off_id", "role", name=op.f("pk_write_off_decisions")),
        sa.UniqueConstraint(
            "write_off_id", "person", name=op.f("uq_write_off_decisions_write_off_id_person")
        ),
    )
    op.create_table(
        "customer_statements",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("branches", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('issued', 'sent', 'confirmed', 'disputed')", name=op.f("ck_customer_statements_state")
        ),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_customer_statements")),
        sa.UniqueConstraint("customer_id", "as_of", name=op.f("uq_customer_statements_customer_id_as_of")),
    )
    op.create_table(
        "customer_statement_items",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("open_fen", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "answer in ('confirmed', 'disputed')", name=op.f("ck_customer_statement_items_answer")
        ),
        sa.PrimaryKeyConstraint("statement_id", "item_id", name=op.f("pk_customer_statement_items")),
    )
    op.create_table(
        "dunning_cases",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("done_level", sa.SmallInteger(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("promise_fen", sa.BigInteger(), nullable=True),
        sa.Column("promise_on", sa.Date(), nullable=True),
        sa.Column("promise_open_fen", sa.BigInteger(), nullable=True),
        sa.Column("promises_broken", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "state in ('waiting', 'action_due', 'promised', 'paused', 'blocked', 'final', 'settled')",
            name=op.f("ck_dunning_cases_state"),
        ),
        sa.CheckConstraint("done_level between 0 and level", name=op.f("ck_dunning_cases_level")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_dunning_cases")),
    )
    op.create_index(
        "dunning_cases_active",
        "dunning_cases",
        ["item_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'settled'"),
    )
    op.create_index("dunning_cases_customer", "dunning_cases", ["customer_id", "case_id"], unique=False)
    op.create_index(
        "dunning_cases_next",
        "dunning_cases",
        ["next_on"],
        unique=False,
        postgresql_where=sa.text("state in ('waiting', 'promised')"),
    )
    op.create_table(
        "dunning_actions",
        sa.Column("action_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("promise_fen", sa.BigInteger(), nullable=True),
        sa.Column("promise_on", sa.Date(), nullable=True),
        sa.Column("letter_id", sa.Uuid(), nullable=True),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("action_id", name=op.f("pk_dunning_actions")),
    )
    op.create_index("dunning_actions_case", "dunning_actions", ["case_id"], unique=False)
    op.create_index("dunning_actions_day", "dunning_actions", ["done_on"], unique=False)
    op.create_table(
        "dunning_letters",
        sa.Column("letter_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("branches", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("language in ('zh', 'en')", name=op.f("ck_dunning_letters_language")),
        sa.PrimaryKeyConstraint("letter_id", name=op.f("pk_dunning_letters")),
    )
    op.create_index("dunning_letters_customer", "dunning_letters", ["customer_id", "letter_id"], unique=False)
    op.execute(INSTALMENTS)
    op.execute(OF_EARLIER_ENTRIES)
    op.execute(ITEMS_KEEP)
    op.execute(
        "create trigger append_only before update on receivable_allocations for each row"
        " execute function refuse_change()"
    )
    for table in ("receivable_items", "receivable_allocations"):
        op.execute(
            f"create trigger no_delete before delete on {table} for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger no_truncate before truncate on {table} for each statement"
            " execute function refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("dunning_letters")
    op.drop_table("dunning_actions")
    op.drop_table("dunning_cases")
    op.drop_table("customer_statement_items")
    op.drop_table("customer_statements")
    op.drop_table("write_off_decisions")
    op.drop_table("write_offs")
    op.drop_table("credit_terms")
    op.drop_table("payments")
    op.drop_table("receivable_allocations")
    op.drop_table("receivable_items")
    op.execute("drop function receivable_instalments")
