"""Know bank statements by days and balances, lines by their order and value date, accounts by one number; keep dialects."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

PLAIN = "upper(regexp_replace(normalize(number, NFKC), '[^A-Za-z0-9]', '', 'g'))"


def upgrade() -> None:
    op.add_column("bank_accounts", sa.Column("number_key", sa.Text()))
    # An account that was registered twice by another spelling keeps a key of its own: close it.
    op.execute(
        f"update bank_accounts a set number_key = k.key from (select account_id, {PLAIN} || case when row_number() over"
        f" (partition by {PLAIN} order by registered_at, account_id) > 1 then '#' || account_id else '' end as key"
        " from bank_accounts) k where k.account_id = a.account_id"
    )
    op.alter_column("bank_accounts", "number_key", nullable=False)
    op.drop_constraint(op.f("uq_bank_accounts_number"), "bank_accounts")
    op.create_unique_constraint(op.f("uq_bank_accounts_number_key"), "bank_accounts", ["number_key"])
    op.add_column("bank_accounts", sa.Column("last_day", sa.Date()))
    op.add_column("bank_accounts", sa.Column("closed_by", sa.Text()))
    op.add_column("bank_accounts", sa.Column("closed_at", sa.TIMESTAMP(timezone=True)))

    op.add_column("bank_statements", sa.Column("identity", sa.LargeBinary()))
    op.drop_constraint(op.f("uq_bank_statements_account_id_number"), "bank_statements")
    op.create_unique_constraint(
        op.f("uq_bank_statements_account_id_identity"), "bank_statements", ["account_id", "identity"]
    )

    op.add_column("bank_lines", sa.Column("no", sa.BigInteger()))
    op.execute(
        "update bank_lines l set no = k.no from (select line_id, row_number() over"
        " (partition by account_id order by booked_on, line_id) as no from bank_lines) k where k.line_id = l.line_id"
    )
    op.alter_column("bank_lines", "no", nullable=False)
    op.add_column("bank_lines", sa.Column("valued_on", sa.Date()))
    op.drop_constraint(op.f("ck_bank_lines_fen"), "bank_lines")
    op.execute(
        "update bank_lines l set statement_id = (select s.statement_id from bank_statements s"
        " where s.account_id = l.account_id order by s.imported_at, s.statement_id limit 1)"
        " where l.statement_id = l.account_id"
    )
    op.create_table(
        "bank_dialects",
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", JSONB(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("kept_by", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("dialect", "version", name=op.f("pk_bank_dialects")),
    )


def downgrade() -> None:
    op.drop_table("bank_dialects")
    op.create_check_constraint(op.f("ck_bank_lines_fen"), "bank_lines", "fen <> 0", postgresql_not_valid=True)
    op.drop_column("bank_lines", "valued_on")
    op.drop_column("bank_lines", "no")
    op.drop_constraint(op.f("uq_bank_statements_account_id_identity"), "bank_statements")
    op.drop_column("bank_statements", "identity")
    op.execute(
        "update bank_statements s set number = s.number || ' ' || k.nth from (select statement_id, row_number() over"
        " (partition by account_id, number order by imported_at, statement_id) as nth from bank_statements) k"
        " where k.statement_id = s.statement_id and k.nth > 1"
    )
    op.create_unique_constraint(
        op.f("uq_bank_statements_account_id_number"), "bank_statements", ["account_id", "number"]
    )
    op.drop_column("bank_accounts", "closed_at")
    op.drop_column("bank_accounts", "closed_by")
    op.drop_column("bank_accounts", "last_day")
    op.drop_constraint(op.f("uq_bank_accounts_number_key"), "bank_accounts")
    op.drop_column("bank_accounts", "number_key")
    op.create_unique_constraint(op.f("uq_bank_accounts_number"), "bank_accounts", ["number"])
