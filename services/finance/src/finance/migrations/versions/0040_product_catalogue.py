"""The product catalogue: versions, proposals, uploads, decisions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _words(table: str, column: str, words: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words.split())
    return sa.CheckConstraint(f"{column} in ({listed})", name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    _versions()
    _proposals()
    op.create_table(
        "product_uploads",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        _text("uploaded_by"),
        sa.Column("uploaded_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", name=op.f("pk_product_uploads")),
    )
    op.create_table(
        "product_decisions",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        _text("role"),
        _text("person"),
        sa.Column("approved", sa.Boolean(), nullable=False),
        _text("reason", nullable=True),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        _text("subject_hash"),
        sa.PrimaryKeyConstraint("subject_id", "role", name=op.f("pk_product_decisions")),
    )


def _versions() -> None:
    name = "product_versions"
    op.create_table(
        name,
        _text("product_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        *map(_text, ("generic_name", "legal_class", "control_class", "temp_class", "category", "unit")),
        sa.Column("pack_factor", sa.Integer(), nullable=False),
        *(
            _text(each, nullable=True)
            for each in ("trade_name", "dosage_form", "specification", "mah", "maker", "approval_number")
        ),
        sa.Column("gtins", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("trace_prefixes", sa.ARRAY(sa.Text()), nullable=False),
        _text("vat_code", nullable=True),
        _text("source"),
        _text("source_version"),
        sa.Column("upload_id", sa.Uuid()),
        sa.Column("proposal_id", sa.Uuid()),
        _text("changed_by"),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("version > 0 and pack_factor > 0", name=op.f(f"ck_{name}_numbers")),
        _words(name, "legal_class", "rx otc_a otc_b non_drug"),
        _words(name, "control_class", "none narcotic psychotropic precursor toxic"),
        _words(name, "temp_class", "normal cool cold_2_8 frozen"),
        sa.PrimaryKeyConstraint("product_id", "version", name=op.f(f"pk_{name}")),
    )
    op.create_index(f"{name}_gtins", name, ["gtins"], postgresql_using="gin")
    op.create_index(f"{name}_trace_prefixes", name, ["trace_prefixes"], postgresql_using="gin")
    op.create_index(f"{name}_approval_number", name, ["approval_number"])


def _proposals() -> None:
    name = "product_proposals"
    op.create_table(
        name,
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        _text("product_id"),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        _text("source"),
        _text("source_version"),
        _text("state"),
        _text("subject_hash"),
        _text("proposed_by"),
        sa.Column("proposed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("upload_id", sa.Uuid()),
        _text("decided_by", nullable=True),
        sa.Column("decided_at", sa.TIMESTAMP(timezone=True)),
        _text("decided_reason", nullable=True),
        sa.Column("version", sa.Integer()),
        _words(name, "state", "proposed approved rejected superseded"),
        sa.CheckConstraint(
            "(state in ('approved', 'rejected')) = (decided_by is not null)", name=op.f(f"ck_{name}_decided")
        ),
        sa.CheckConstraint("(state = 'approved') = (version is not null)", name=op.f(f"ck_{name}_version")),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f(f"ck_{name}_two_persons")),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f(f"pk_{name}")),
    )
    op.create_index(
        f"{name}_waiting",
        name,
        ["product_id"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_index(f"{name}_product", name, ["product_id", "proposal_id"])
    op.create_index(f"{name}_upload", name, ["upload_id"])


def downgrade() -> None:
    for name in ("product_decisions", "product_uploads", "product_proposals", "product_versions"):
        op.drop_table(name)
