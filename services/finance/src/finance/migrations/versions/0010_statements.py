"""Finance: statements of every kind and span, and their withdrawal before publication."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KINDS = {
    "kind": ("kind in ('balance', 'income')", "kind in ('balance', 'income', 'cashflow', 'equity')"),
    "state": (
        "state in ('prepared', 'reviewed', 'signed', 'published', 'restated')",
        "state in ('prepared', 'reviewed', 'signed', 'published', 'restated', 'withdrawn')",
    ),
}
# A statement moves on; its content never changes, and its publication or withdrawal is said once.
FROZEN = """
create trigger frozen before update on statements for each row when (
    (to_jsonb(old) - 'state' - 'published_on' - 'on_time' - 'withdrawn_by' - 'withdrawn_reason')
        <> (to_jsonb(new) - 'state' - 'published_on' - 'on_time' - 'withdrawn_by' - 'withdrawn_reason')
    or (old.published_on is not null
        and (old.published_on, old.on_time) is distinct from (new.published_on, new.on_time))
    or old.state = 'withdrawn'
) execute function refuse_change()
"""
FROZEN_BEFORE = """
create trigger frozen before update on statements for each row when (
    (to_jsonb(old) - 'state' - 'published_on' - 'on_time')
        <> (to_jsonb(new) - 'state' - 'published_on' - 'on_time')
    or (old.published_on is not null
        and (old.published_on, old.on_time) is distinct from (new.published_on, new.on_time))
) execute function refuse_change()
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop trigger frozen on statements")
    op.add_column("statements", sa.Column("span", sa.Text(), server_default="month", nullable=False))
    op.add_column("statements", sa.Column("withdrawn_by", sa.Text(), nullable=True))
    op.add_column("statements", sa.Column("withdrawn_reason", sa.Text(), nullable=True))
    for name, (_, allowed) in KINDS.items():
        op.drop_constraint(op.f(f"ck_statements_{name}"), "statements", type_="check")
        op.create_check_constraint(op.f(f"ck_statements_{name}"), "statements", allowed)
    op.create_check_constraint(
        op.f("ck_statements_span"), "statements", "span in ('month', 'quarter', 'half_year', 'year')"
    )
    op.create_check_constraint(
        op.f("ck_statements_withdrawn"), "statements", "(state = 'withdrawn') = (withdrawn_by is not null)"
    )
    op.drop_constraint(op.f("uq_statements_kind_month_version"), "statements", type_="unique")
    op.create_unique_constraint(
        op.f("uq_statements_kind_span_month_version"), "statements", ["kind", "span", "month", "version"]
    )
    op.create_index("statements_month", "statements", ["month"])
    op.create_table(
        "cash_flow_months",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("period_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_cash_flow_months")),
    )
    op.create_table(
        "cash_flow_movements",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("entry_kind", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "month", "entry_kind", "account", "direction", name=op.f("pk_cash_flow_movements")
        ),
    )
    op.execute(FROZEN)


def downgrade() -> None:
    op.drop_table("cash_flow_movements")
    op.drop_table("cash_flow_months")
    op.execute("drop trigger frozen on statements")
    op.drop_index("statements_month", table_name="statements")
    op.drop_constraint(op.f("uq_statements_kind_span_month_version"), "statements", type_="unique")
    op.drop_constraint(op.f("ck_statements_withdrawn"), "statements", type_="check")
    op.drop_constraint(op.f("ck_statements_span"), "statements", type_="check")
    for name, (allowed, _) in KINDS.items():
        op.drop_constraint(op.f(f"ck_statements_{name}"), "statements", type_="check")
        op.create_check_constraint(op.f(f"ck_statements_{name}"), "statements", allowed)
    op.drop_column("statements", "withdrawn_reason")
    op.drop_column("statements", "withdrawn_by")
    op.drop_column("statements", "span")
    op.create_unique_constraint(
        op.f("uq_statements_kind_month_version"), "statements", ["kind", "month", "version"]
    )
    op.execute(FROZEN_BEFORE)
