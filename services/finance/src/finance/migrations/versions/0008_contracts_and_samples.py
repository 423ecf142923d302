"""Finance: contracts, their amendments and fulfilment; samples."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = (
    "contract_numbers", "contracts", "contract_versions", "contract_signatures", "contract_decisions",
    "contract_amendments", "contract_terminations", "contract_changes", "contract_fulfilment", "contract_moves",
    "sample_numbers", "samples", "sample_decisions",
)  # fmt: skip
APPEND_ONLY = (
    "contract_versions", "contract_signatures", "contract_decisions", "contract_changes", "contract_moves",
    "sample_decisions",
)  # fmt: skip
KEPT = (
    *APPEND_ONLY,
    "contracts",
    "contract_amendments",
    "contract_terminations",
    "contract_fulfilment",
    "samples",
)

# What was signed stays. A contract moves on by its state, and to a version that is there and follows its own.
MOVES_ON = """
create function contract_moves_on() returns trigger language plpgsql as $$
declare
    moves text[] := array['state', 'version', 'revision', 'valid_until', 'value_fen', 'ended_on', 'end_reason'];
begin
    if old.signed_on is not null and (to_jsonb(new) - moves) <> (to_jsonb(old) - moves) then
        raise exception 'a signed contract does not change' using errcode = 'restrict_violation';
    end if;
    if old.signed_on is not null and new.version = old.version
        and (new.valid_until, new.value_fen) is distinct from (old.valid_until, old.value_fen) then
        raise exception 'a signed contract changes by amendment' using errcode = 'restrict_violation';
    end if;
    if new.version <> old.version and not exists (
        select from contract_versions v where v.contract_id = new.contract_id and v.version = new.version
            and v.version = old.version + 1) then
        raise exception 'versions follow each other' using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""
GUARDS = (
    "create trigger moves_on before update on contracts for each row execute function contract_moves_on()",
    (
        "create trigger frozen before update on contract_amendments for each row when (old.state <> 'proposed'"
        " or (old.contract_id, old.base_version, old.content_hash, old.content, old.reason, old.proposed_by)"
        " is distinct from"
        " (new.contract_id, new.base_version, new.content_hash, new.content, new.reason, new.proposed_by))"
        " execute function refuse_change()"
    ),
    (
        "create trigger frozen before update on contract_terminations for each row when (old.state <> 'requested'"
        " or (old.contract_id, old.reason, old.requested_by)"
        " is distinct from (new.contract_id, new.reason, new.requested_by)) execute function refuse_change()"
    ),
    (
        "create trigger frozen before update on contract_fulfilment for each row when ("
        "(old.quantity, old.product_id) is distinct from (new.quantity, new.product_id)"
        " and new.version <= old.version) execute function refuse_change()"
    ),
    (
        "create trigger frozen before update on samples for each row when ("
        "(old.number, old.branch_id, old.product_id, old.lot, old.quantity, old.subject_hash, old.requested_by)"
        " is distinct from"
        " (new.number, new.branch_id, new.product_id, new.lot, new.quantity, new.subject_hash, new.requested_by)"
        " or (old.cost_fen is not null and old.cost_fen is distinct from new.cost_fen))"
        " execute function refuse_change()"
    ),
)


def upgrade() -> None:
    op.create_table(
        "contract_numbers",
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last_no", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("branch_id", "year", name=op.f("pk_contract_numbers")),
    )
    op.create_table(
        "contracts",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("draft", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("submissions", sa.Integer(), server_default="0", nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.Text(), nullable=True),
        sa.Column("reviewed_on", sa.Date(), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("entered_on", sa.Date(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("value_fen", sa.BigInteger(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state in ('draft', 'legal_review')) = (signed_on is null)", name=op.f("ck_contracts_signed")
        ),
        sa.CheckConstraint(
            "(state in ('fulfilled', 'expired', 'terminated')) = (ended_on is not null)",
            name=op.f("ck_contracts_ended"),
        ),
        sa.CheckConstraint(
            "state in ('draft', 'legal_review', 'signed', 'active', 'fulfilled', 'expired', 'terminated')",
            name=op.f("ck_contracts_state"),
        ),
        sa.CheckConstraint("(version = 0) = (signed_on is null)", name=op.f("ck_contracts_version")),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_contracts_validity")),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_contracts")),
        sa.UniqueConstraint("number", name=op.f("uq_contracts_number")),
    )
    op.create_index("contracts_branch", "contracts", ["branch_id", "contract_id"], unique=False)
    op.create_index("contracts_customer", "contracts", ["customer_id", "contract_id"], unique=False)
    op.create_index(
        "contracts_running",
        "contracts",
        ["valid_until"],
        unique=False,
        postgresql_where=sa.text("state in ('signed', 'active')"),
    )
    op.create_table(
        "contract_versions",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("amendment_id", sa.Uuid(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(version = 1) = (amendment_id is null)", name=op.f("ck_contract_versions_amended")
        ),
        sa.PrimaryKeyConstraint("contract_id", "version", name=op.f("pk_contract_versions")),
    )
    op.create_table(
        "contract_signatures",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("submission", sa.Integer(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("signatory", sa.Text(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("party in ('ours', 'customer')", name=op.f("ck_contract_signatures_party")),
        sa.PrimaryKeyConstraint("contract_id", "submission", "party", name=op.f("pk_contract_signatures")),
    )
    op.create_table(
        "contract_decisions",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "matter in ('legal_review', 'amendment', 'termination')",
            name=op.f("ck_contract_decisions_matter"),
        ),
        sa.PrimaryKeyConstraint("contract_id", "subject_hash", "role", name=op.f("pk_contract_decisions")),
    )
    op.create_table(
        "contract_amendments",
        sa.Column("amendment_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("proposed_side", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed_on", sa.Date(), nullable=True),
        sa.Column("evidence_sha256", sa.Text(), nullable=True),
        sa.Column("recorded_by", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.CheckConstraint("proposed_side in ('ours', 'customer')", name=op.f("ck_contract_amendments_side")),
        sa.CheckConstraint(
            "state <> 'confirmed' or (approved_by is not null and approved_by <> proposed_by and contact_id is not null and version is not null)",
            name=op.f("ck_contract_amendments_both_parties"),
        ),
        sa.CheckConstraint(
            "state in ('proposed', 'confirmed', 'rejected')", name=op.f("ck_contract_amendments_state")
        ),
        sa.PrimaryKeyConstraint("amendment_id", name=op.f("pk_contract_amendments")),
    )
    op.create_index(
        "contract_amendments_contract", "contract_amendments", ["contract_id", "amendment_id"], unique=False
    )
    op.create_index(
        "contract_amendments_one_open",
        "contract_amendments",
        ["contract_id"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_table(
        "contract_terminations",
        sa.Column("termination_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state in ('requested', 'approved', 'rejected')", name=op.f("ck_contract_terminations_state")
        ),
        sa.PrimaryKeyConstraint("termination_id", name=op.f("pk_contract_terminations")),
    )
    op.create_index(
        "contract_terminations_one_open",
        "contract_terminations",
        ["contract_id"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    )
    op.create_table(
        "contract_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_changes")),
    )
    op.create_index("contract_changes_contract", "contract_changes", ["contract_id", "id"], unique=False)
    op.create_table(
        "contract_fulfilment",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("ordered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("late", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shipped_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_shipped_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "0 <= shipped and shipped <= ordered and ordered <= quantity",
            name=op.f("ck_contract_fulfilment_quantities"),
        ),
        sa.CheckConstraint("late between 0 and shipped", name=op.f("ck_contract_fulfilment_late")),
        sa.PrimaryKeyConstraint("contract_id", "line_no", name=op.f("pk_contract_fulfilment")),
    )
    op.create_table(
        "contract_moves",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('order', 'release', 'ship')", name=op.f("ck_contract_moves_kind")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_contract_moves_quantity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_moves")),
    )
    op.create_index("contract_moves_line", "contract_moves", ["contract_id", "line_no", "id"], unique=False)
    op.create_table(
        "sample_numbers",
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last_no", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("branch_id", "year", name=op.f("pk_sample_numbers")),
    )
    op.create_table(
        "samples",
        sa.Column("sample_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("generic_name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("expiry", sa.Date(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_on", sa.Date(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("booked_on", sa.Date(), nullable=True),
        sa.Column("cost_basis", sa.Text(), nullable=True),
        sa.Column("cost_fen", sa.BigInteger(), nullable=True),
        sa.Column("confirm_by", sa.Date(), nullable=True),
        sa.Column("used_quantity", sa.Integer(), nullable=True),
        sa.Column("returned_quantity", sa.Integer(), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state in ('issued', 'confirmed')) = (cost_fen is not null)", name=op.f("ck_samples_issued")
        ),
        sa.CheckConstraint("cost_basis in ('average', 'till', 'none')", name=op.f("ck_samples_cost_basis")),
        sa.CheckConstraint(
            "kind = 'packaging' or (category is not null and expiry is not null)",
            name=op.f("ck_samples_product"),
        ),
        sa.CheckConstraint("kind in ('product', 'packaging')", name=op.f("ck_samples_kind")),
        sa.CheckConstraint(
            "state <> 'confirmed' or used_quantity + returned_quantity = quantity",
            name=op.f("ck_samples_confirmed"),
        ),
        sa.CheckConstraint(
            "state in ('requested', 'approved', 'rejected', 'issued', 'confirmed')",
            name=op.f("ck_samples_state"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_samples_quantity")),
        sa.PrimaryKeyConstraint("sample_id", name=op.f("pk_samples")),
        sa.UniqueConstraint("number", name=op.f("uq_samples_number")),
    )
    op.create_index("samples_branch", "samples", ["branch_id", "sample_id"], unique=False)
    op.create_index(
        "samples_customer",
        "samples",
        ["customer_id", "requested_on"],
        unique=False,
        postgresql_where=sa.text("customer_id is not null"),
    )
    op.create_index(
        "samples_lot",
        "samples",
        ["product_id", "lot"],
        unique=False,
        postgresql_where=sa.text("cost_fen is not null"),
    )
    op.create_index("samples_person", "samples", ["requested_by", "requested_on"], unique=False)
    op.create_table(
        "sample_decisions",
        sa.Column("sample_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sample_id", "role", name=op.f("pk_sample_decisions")),
        sa.UniqueConstraint("sample_id", "person", name=op.f("uq_sample_decisions_sample_id_person")),
    )

    op.execute(MOVES_ON)
    for guard in GUARDS:
        op.execute(guard)
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger append_only before update on {table} for each row execute function refuse_change()"
        )
    for table in KEPT:
        op.execute(
            f"create trigger no_delete before delete on {table} for each row execute function refuse_change()"
        )
        op.execute(
            f"create trigger no_truncate before truncate on {table} for each statement"
            " execute function refuse_change()"
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("drop function contract_moves_on()")
