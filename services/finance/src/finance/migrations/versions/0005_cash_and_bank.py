"""Finance: drawers, safes and their counts; bank accounts, statements and reconciliations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ACCOUNTS = (
    ("1012.05", "cash_in_transit", "其他货币资金-在途现金", "Other monetary funds, cash in transit", "asset"),
    ("2241.09", "cash_over_payable", "其他应付款-现金长款", "Other payables, cash found over", "liability"),
)


def upgrade() -> None:
    # A session's takings are read by the time they were posted; BRIN costs tills nothing to speak of.
    op.create_index(
        "sales_posted_at",
        "sales",
        ["posted_at"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 32, "autosummarize": True},
    )
    for standard in ("small", "cas"):
        for code, meaning, zh, en, kind in ACCOUNTS:
            op.get_bind().execute(
                sa.text(
                    "insert into accounts (standard, code, meaning, zh, en, type, leaf)"
                    " values (:standard, :code, :meaning, :zh, :en, :kind, true) on conflict do nothing"
                ),
                {"standard": standard, "code": code, "meaning": meaning, "zh": zh, "en": en, "kind": kind},
            )
    op.create_table(
        "cash_drawers",
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("drawer", sa.Text(), nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("registered_by", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("branch_id", "drawer", name=op.f("pk_cash_drawers")),
        sa.UniqueConstraint("branch_id", "till", name=op.f("uq_cash_drawers_branch_id_till")),
    )
    op.create_table(
        "cash_sessions",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("drawer", sa.Text(), nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("float_fen", sa.BigInteger(), nullable=False),
        sa.Column("from_safe_fen", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count_began_by", sa.Text(), nullable=True),
        sa.Column("count_began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("denominations", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("cash_sales_fen", sa.BigInteger(), nullable=True),
        sa.Column("movements_fen", sa.BigInteger(), nullable=True),
        sa.Column("expected_fen", sa.BigInteger(), nullable=True),
        sa.Column("counted_fen", sa.BigInteger(), nullable=True),
        sa.Column("variance_fen", sa.BigInteger(), nullable=True),
        sa.Column("carried_fen", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('open', 'counting', 'closed', 'resolved')", name=op.f("ck_cash_sessions_state")
        ),
        sa.CheckConstraint(
            "(closed_at is null) = (variance_fen is null)", name=op.f("ck_cash_sessions_counted")
        ),
        sa.CheckConstraint("carried_fen between 0 and counted_fen", name=op.f("ck_cash_sessions_carried")),
        sa.CheckConstraint(
            "expected_fen = float_fen + cash_sales_fen + movements_fen",
            name=op.f("ck_cash_sessions_expected"),
        ),
        sa.CheckConstraint("float_fen >= 0", name=op.f("ck_cash_sessions_float")),
        sa.CheckConstraint(
            "variance_fen = counted_fen - expected_fen", name=op.f("ck_cash_sessions_variance")
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_cash_sessions")),
    )
    op.create_index(
        "cash_sessions_drawer", "cash_sessions", ["branch_id", "drawer", "closed_at"], unique=False
    )
    op.create_index(
        "cash_sessions_one_open",
        "cash_sessions",
        ["branch_id", "drawer"],
        unique=True,
        postgresql_where=sa.text("state in ('open', 'counting')"),
    )
    op.create_table(
        "cash_movements",
        sa.Column("movement_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('pay_in', 'payout', 'bank_drop', 'bank_withdrawal', 'safe_drop', 'top_up', 'refund', 'variance')",
            name=op.f("ck_cash_movements_kind"),
        ),
        sa.CheckConstraint("fen <> 0", name=op.f("ck_cash_movements_fen")),
        sa.PrimaryKeyConstraint("movement_id", name=op.f("pk_cash_movements")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_cash_movements_refund_id")),
    )
    op.create_index("cash_movements_branch", "cash_movements", ["branch_id", "made_at"], unique=False)
    op.create_index("cash_movements_session", "cash_movements", ["session_id"], unique=False)
    op.create_table(
        "cash_counts",
        sa.Column("count_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("denominations", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("expected_fen", sa.BigInteger(), nullable=False),
        sa.Column("counted_fen", sa.BigInteger(), nullable=False),
        sa.Column("variance_fen", sa.BigInteger(), nullable=False),
        sa.Column("counted_by", sa.Text(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("variance_fen = counted_fen - expected_fen", name=op.f("ck_cash_counts_variance")),
        sa.PrimaryKeyConstraint("count_id", name=op.f("pk_cash_counts")),
    )
    op.create_index("cash_counts_branch", "cash_counts", ["branch_id", "count_id"], unique=False)
    op.create_table(
        "cash_variances",
        sa.Column("variance_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("drawer", sa.Text(), nullable=True),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("involved", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolved_role", sa.Text(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "outcome in ('income', 'owed', 'person', 'expense')", name=op.f("ck_cash_variances_outcome")
        ),
        sa.CheckConstraint(
            "(outcome is null) = (resolved_at is null)", name=op.f("ck_cash_variances_resolved")
        ),
        sa.CheckConstraint("fen <> 0", name=op.f("ck_cash_variances_fen")),
        sa.PrimaryKeyConstraint("variance_id", name=op.f("pk_cash_variances")),
    )
    op.create_index(
        "cash_variances_open",
        "cash_variances",
        ["branch_id", "variance_id"],
        unique=False,
        postgresql_where=sa.text("outcome is null"),
    )
    op.create_table(
        "bank_accounts",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=True),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("registered_by", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_bank_accounts")),
        sa.UniqueConstraint("number", name=op.f("uq_bank_accounts_number")),
    )
    op.create_index(
        "bank_accounts_main", "bank_accounts", ["is_main"], unique=True, postgresql_where=sa.text("is_main")
    )
    op.create_table(
        "bank_statements",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("opening_fen", sa.BigInteger(), nullable=False),
        sa.Column("closing_fen", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("new_lines", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("from_on <= to_on", name=op.f("ck_bank_statements_days")),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_bank_statements")),
        sa.UniqueConstraint("account_id", "number", name=op.f("uq_bank_statements_account_id_number")),
    )
    op.create_table(
        "bank_lines",
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("line_hash", sa.LargeBinary(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("clearing", sa.Text(), nullable=True),
        sa.CheckConstraint("fen <> 0", name=op.f("ck_bank_lines_fen")),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_bank_lines")),
        sa.UniqueConstraint("account_id", "line_hash", name=op.f("uq_bank_lines_account_id_line_hash")),
    )
    op.create_index("bank_lines_day", "bank_lines", ["account_id", "booked_on", "line_id"], unique=False)
    op.create_table(
        "bank_matches",
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind in ('book', 'transit', 'settlement', 'direct')", name=op.f("ck_bank_matches_kind")
        ),
        sa.CheckConstraint("fee_fen >= 0", name=op.f("ck_bank_matches_fee")),
        sa.PrimaryKeyConstraint("match_id", name=op.f("pk_bank_matches")),
    )
    op.create_index(
        "bank_matches_line",
        "bank_matches",
        ["line_id"],
        unique=True,
        postgresql_where=sa.text("undone_at is null"),
    )
    op.create_index("bank_matches_lines", "bank_matches", ["line_id"], unique=False)
    op.create_table(
        "bank_book_items",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("entry_kind", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "entry_kind", name=op.f("pk_bank_book_items")),
    )
    op.create_index("bank_book_items_account", "bank_book_items", ["account_id", "booked_on"], unique=False)
    op.create_index("bank_book_items_match", "bank_book_items", ["match_id"], unique=False)
    op.create_table(
        "bank_transits",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("entry_kind", sa.Text(), nullable=False),
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "entry_kind", name=op.f("pk_bank_transits")),
    )
    op.create_table(
        "bank_settled",
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("clearing", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("match_id", "clearing", "branch_id", "day", name=op.f("pk_bank_settled")),
    )
    op.create_index("bank_settled_day", "bank_settled", ["clearing", "day", "branch_id"], unique=False)
    op.create_table(
        "bank_reconciliations",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("book_fen", sa.BigInteger(), nullable=False),
        sa.Column("statement_fen", sa.BigInteger(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("completed_by", sa.Text(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "month", name=op.f("pk_bank_reconciliations")),
    )


def downgrade() -> None:
    op.drop_table("bank_reconciliations")
    op.drop_table("bank_settled")
    op.drop_table("bank_transits")
    op.drop_table("bank_book_items")
    op.drop_table("bank_matches")
    op.drop_table("bank_lines")
    op.drop_table("bank_statements")
    op.drop_table("bank_accounts")
    op.drop_table("cash_variances")
    op.drop_table("cash_counts")
    op.drop_table("cash_movements")
    op.drop_table("cash_sessions")
    op.drop_table("cash_drawers")
    op.drop_index("sales_posted_at", table_name="sales")
