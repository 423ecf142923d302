"""Finance: refunds in steps; invoices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Until now a refund was paid the moment it was verified.
OF_EARLIER_REFUNDS = (
    (
        "update refunds r set state = 'paid', version = 1, settled_on = booked_on, paid_on = booked_on,"
        " customer_id = (select s.customer_id from receipts c join sales s on s.sale_id = c.sale_id"
        "  and s.booked_on = c.booked_on where c.sale_id = r.sale_id)"
    ),
    "update refund_tenders set means = tender",
    (
        "insert into refund_payments (refund_id, tender, payment_id, means, fen, booked_on, paid_by, paid_at)"
        " select t.refund_id, t.tender, gen_random_uuid(), t.means, t.fen, r.booked_on, 'system:finance', r.paid_at"
        " from refund_tenders t join refunds r using (refund_id)"
    ),
    (
        "insert into refund_steps (refund_id, version, step, actor, at, detail)"
        " select refund_id, 1, 'paid', 'system:finance', paid_at, '{}' from refunds"
    ),
)
# What was agreed on never changes; only the steps move on.
REFUNDS_KEEP = """
create trigger append_only before update on refunds for each row
when (
    (old.refund_id, old.return_id, old.sale_id, old.branch_id, old.booked_on, old.settled_on, old.total_fen)
    <> (new.refund_id, new.return_id, new.sale_id, new.branch_id, new.booked_on, new.settled_on, new.total_fen)
    or old.customer_id is distinct from new.customer_id
) execute function refuse_change()
"""
TENDERS_KEEP = """
create trigger append_only before update on refund_tenders for each row
when ((old.refund_id, old.tender, old.fen) <> (new.refund_id, new.tender, new.fen))
execute function refuse_change()
"""
REFUND_TABLES = ("refunds", "refund_lines", "refund_tenders", "refund_payments", "refund_steps")
WRITTEN_ONCE = ("refund_lines", "refund_payments", "refund_steps")

# The earlier schema knows paid refunds alone: what is still owed would count as paid there, and never be paid.
NOTHING_OWED = """
do $$ begin
    if exists (select from refunds where state <> 'paid') then
        raise exception 'refunds are owed: pay them before you go back to a schema that knows paid refunds alone';
    end if;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _refunds()
    _invoices()
    # Walk-in sales, nearly all of them, are not in it: tills pay for their customers' sales alone.
    op.create_index(
        "sales_customer",
        "sales",
        ["customer_id", "sale_id"],
        unique=False,
        postgresql_where=sa.text("customer_id is not null"),
    )


def _refunds() -> None:
    op.create_table(
        "refund_payments",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("tender", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("paid_by", sa.Text(), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_refund_payments_fen")),
        sa.PrimaryKeyConstraint("refund_id", "tender", name=op.f("pk_refund_payments")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_refund_payments_payment_id")),
    )
    op.create_index(
        "refund_payments_reference",
        "refund_payments",
        ["means", "reference"],
        unique=True,
        postgresql_where=sa.text("reference is not null"),
    )
    op.create_index("refund_payments_booked", "refund_payments", ["booked_on"], unique=False)
    op.create_table(
        "refund_steps",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "step in ('verified', 'approved', 'held', 'released', 'paying', 'paid', 'failed')",
            name=op.f("ck_refund_steps_step"),
        ),
        sa.PrimaryKeyConstraint("refund_id", "version", name=op.f("pk_refund_steps")),
    )
    op.create_table(
        "returned_goods",
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("return_id", name=op.f("pk_returned_goods")),
    )
    op.alter_column("refunds", "paid_at", nullable=True)
    for column in (
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_hash", sa.Text(), nullable=True),
        sa.Column("held_reason", sa.Text(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
    ):
        op.add_column("refunds", column)
    op.add_column("refund_tenders", sa.Column("means", sa.Text(), nullable=True))
    for statement in OF_EARLIER_REFUNDS:
        op.execute(statement)
    for column in ("settled_on", "state", "version"):
        op.alter_column("refunds", column, nullable=False)
    op.alter_column("refund_tenders", "means", nullable=False)
    op.create_check_constraint(
        op.f("ck_refunds_state"),
        "refunds",
        "state in ('verified', 'held', 'approved', 'paying', 'paid', 'failed')",
    )
    op.create_check_constraint(op.f("ck_refunds_paid"), "refunds", "(state = 'paid') = (paid_at is not null)")
    op.create_index(
        "refunds_owed",
        "refunds",
        ["branch_id", "refund_id"],
        unique=False,
        postgresql_where=sa.text("state <> 'paid'"),
    )
    op.execute(REFUNDS_KEEP)
    op.execute(TENDERS_KEEP)
    for table in WRITTEN_ONCE:
        op.execute(
            f"create trigger append_only before update on {table} for each row execute function refuse_change()"
        )
    for table in REFUND_TABLES:
        op.execute(
            f"create trigger no_delete before delete on {table} for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger no_truncate before truncate on {table} for each statement"
            " execute function refuse_change()"
        )


def _invoices() -> None:
    op.create_table(
        "invoices",
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("reverses", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("keep_until", sa.Date(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('special', 'ordinary')", name=op.f("ck_invoices_kind")),
        sa.CheckConstraint("colour in ('blue', 'red')", name=op.f("ck_invoices_colour")),
        sa.CheckConstraint("(colour = 'red') = (reverses is not null)", name=op.f("ck_invoices_reverses")),
        sa.CheckConstraint("(colour = 'red') = (reason is not null)", name=op.f("ck_invoices_reason")),
        sa.CheckConstraint(
            "coalesce(reason = 'return', false) = (refund_id is not null)", name=op.f("ck_invoices_refund")
        ),
        sa.CheckConstraint("total_fen = net_fen + tax_fen and total_fen > 0", name=op.f("ck_invoices_total")),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("number", name=op.f("uq_invoices_number")),
    )
    op.create_index("invoices_issued", "invoices", ["issued_on", "branch_id"], unique=False)
    op.create_index(
        "invoices_reverses",
        "invoices",
        ["reverses"],
        unique=False,
        postgresql_where=sa.text("reverses is not null"),
    )
    op.create_index(
        "invoices_customer",
        "invoices",
        ["customer_id", "invoice_id"],
        unique=False,
        postgresql_where=sa.text("customer_id is not null"),
    )
    op.create_table(
        "invoice_amounts",
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("tax_bp", sa.Integer(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("net_fen >= 0 and tax_fen >= 0", name=op.f("ck_invoice_amounts_fen")),
        sa.PrimaryKeyConstraint("invoice_id", "sale_id", "tax_bp", name=op.f("pk_invoice_amounts")),
    )
    op.create_index("invoice_amounts_sale", "invoice_amounts", ["sale_id"], unique=False)
    for table in ("invoices", "invoice_amounts"):
        op.execute(
            f"create trigger append_only before update or delete on {table} for each row"
            " execute function refuse_change()"
        )
        op.execute(
            f"create trigger no_truncate before truncate on {table} for each statement"
            " execute function refuse_change()"
        )


def downgrade() -> None:
    op.execute(NOTHING_OWED)
    op.drop_index("sales_customer", table_name="sales")
    for table in ("refunds", "refund_lines", "refund_tenders"):
        op.execute(f"drop trigger no_truncate on {table}")
        op.execute(f"drop trigger no_delete on {table}")
        op.execute(f"drop trigger append_only on {table}")
    op.drop_index("refunds_owed", table_name="refunds")
    op.drop_constraint(op.f("ck_refunds_paid"), "refunds")
    op.drop_constraint(op.f("ck_refunds_state"), "refunds")
    op.drop_column("refund_tenders", "means")
    op.alter_column("refunds", "paid_at", nullable=False)
    for column in (
        "paid_on",
        "held_reason",
        "approved_hash",
        "approved_at",
        "approved_by",
        "version",
        "state",
        "settled_on",
        "customer_id",
    ):
        op.drop_column("refunds", column)
    for table in ("invoice_amounts", "invoices", "returned_goods", "refund_steps", "refund_payments"):
        op.drop_table(table)
