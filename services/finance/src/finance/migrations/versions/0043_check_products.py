"""How strictly the catalogue is held from which day on, its decisions, and what contradicted it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _instant(name: str) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=False)


def _words(table: str, column: str, words: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words.split())
    return sa.CheckConstraint(f"{column} in ({listed})", name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    name = "product_check_settings"
    op.create_table(
        name,
        sa.Column("setting_id", sa.Uuid(), nullable=False),
        _text("mode"),
        sa.Column("effective_from", sa.Date(), nullable=False),
        *map(_text, ("reason", "state", "subject_hash", "proposed_by")),
        _instant("proposed_at"),
        sa.Column("no", sa.Integer()),
        _words(name, "mode", "off warn enforce"),
        _words(name, "state", "proposed approved rejected"),
        sa.CheckConstraint("(state = 'approved') = (no is not null)", name=op.f(f"ck_{name}_no")),
        sa.PrimaryKeyConstraint("setting_id", name=op.f(f"pk_{name}")),
    )
    op.create_index(
        f"{name}_days",
        name,
        ["effective_from", "no"],
        unique=True,
        postgresql_where=sa.text("state = 'approved'"),
    )
    name = "product_check_decisions"
    op.create_table(
        name,
        sa.Column("setting_id", sa.Uuid(), nullable=False),
        *map(_text, ("role", "person")),
        sa.Column("approved", sa.Boolean(), nullable=False),
        _text("reason", nullable=True),
        _instant("at"),
        _text("subject_hash"),
        sa.PrimaryKeyConstraint("setting_id", "role", name=op.f(f"pk_{name}")),
    )
    _contradictions()


def _contradictions() -> None:
    name = "product_contradictions"
    op.create_table(
        name,
        sa.Column("contradiction_id", sa.Uuid(), nullable=False),
        _text("branch_id"),
        sa.Column("day", sa.Date(), nullable=False),
        *map(_text, ("product_id", "door")),
        _text("reference", nullable=True),
        sa.Column("differing", postgresql.JSONB(), nullable=False),
        _text("told_by"),
        _instant("told_at"),
        _words(name, "door", "sale shipment order sample promotion"),
        sa.PrimaryKeyConstraint("contradiction_id", name=op.f(f"pk_{name}")),
    )
    op.create_index(f"{name}_day", name, ["branch_id", "day", "product_id"])
    op.create_index(f"{name}_product", name, ["product_id", "contradiction_id"])
    op.create_index(f"{name}_told_at", name, ["told_at"])


def downgrade() -> None:
    for name in ("product_contradictions", "product_check_decisions", "product_check_settings"):
        op.drop_table(name)
