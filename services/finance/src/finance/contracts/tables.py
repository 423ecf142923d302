"""Tables of contracts: the contract, its signed versions, amendments, decisions, change history, and fulfilment."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

contract_numbers = Table(
    "contract_numbers",
    metadata,
    Column("branch_id", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last_no", Integer, nullable=False),
)
"""The last number given in a branch and year; taken in the transaction that makes the contract, so without gaps."""

contracts = Table(
    "contracts",
    metadata,
    Column("contract_id", Uuid, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("branch_id", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("draft", JSONB, nullable=False),
    Column("submissions", Integer, nullable=False, server_default="0"),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", INSTANT, nullable=False),
    Column("submitted_by", Text),
    Column("reviewed_on", Date),
    Column("signed_on", Date),
    Column("entered_on", Date),
    Column("late", Boolean),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("value_fen", BigInteger),
    Column("ended_on", Date),
    Column("end_reason", Text),
    CheckConstraint(
        "state in ('draft', 'legal_review', 'signed', 'active', 'fulfilled', 'expired', 'terminated')",
        name="state",
    ),
    CheckConstraint("(state in ('draft', 'legal_review')) = (signed_on is null)", name="signed"),
    CheckConstraint("(version = 0) = (signed_on is null)", name="version"),
    CheckConstraint(
        "(state in ('fulfilled', 'expired', 'terminated')) = (ended_on is not null)", name="ended"
    ),
    CheckConstraint("valid_from <= valid_until", name="validity"),
    Index("contracts_branch", "branch_id", "contract_id"),
    Index("contracts_customer", "customer_id", "contract_id"),
    Index("contracts_running", "valid_until", postgresql_where=text("state in ('signed', 'active')")),
)
"""`version` is the version in force, 0 before signing; `revision` numbers its events. After signing the database
lets only state, version and what follows from a version change."""

contract_versions = Table(
    "contract_versions",
    metadata,
    Column("contract_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("value_fen", BigInteger, nullable=False),
    Column("agreed_on", Date, nullable=False),
    Column("reason", Text),
    Column("amendment_id", Uuid),
    Column("made_by", Text, nullable=False),
    Column("made_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("contract_id", "version"),
    CheckConstraint("(version = 1) = (amendment_id is null)", name="amended"),
)
"""What both parties signed or agreed to; never changed, never removed."""

contract_signatures = Table(
    "contract_signatures",
    metadata,
    Column("contract_id", Uuid, nullable=False),
    Column("submission", Integer, nullable=False),
    Column("party", Text, nullable=False),
    Column("signatory", Text, nullable=False),
    Column("signed_on", Date, nullable=False),
    Column("file_sha256", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("contract_id", "submission", "party"),
    CheckConstraint("party in ('ours', 'customer')", name="party"),
)
"""`signatory` is a person of ours, or the id of a contact of the customer: finance holds no names. What is withdrawn
after one party signed is signed anew: a signature is of one submission."""

contract_decisions = Table(
    "contract_decisions",
    metadata,
    Column("contract_id", Uuid, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("matter", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("contract_id", "subject_hash", "role"),
    CheckConstraint("matter in ('legal_review', 'amendment', 'termination')", name="matter"),
)

contract_amendments = Table(
    "contract_amendments",
    metadata,
    Column("amendment_id", Uuid, primary_key=True),
    Column("contract_id", Uuid, nullable=False),
    Column("base_version", Integer, nullable=False),
    Column("proposed_side", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", INSTANT, nullable=False),
    Column("state", Text, nullable=False),
    Column("approved_by", Text),
    Column("contact_id", Uuid),
    Column("confirmed_on", Date),
    Column("evidence_sha256", Text),
    Column("recorded_by", Text),
    Column("recorded_at", INSTANT),
    Column("version", Integer),
    CheckConstraint("state in ('proposed', 'confirmed', 'rejected')", name="state"),
    CheckConstraint("proposed_side in ('ours', 'customer')", name="side"),
    CheckConstraint(
        "state <> 'confirmed' or (approved_by is not null and approved_by <> proposed_by"
        " and contact_id is not null and version is not null)",
        name="both_parties",
    ),
    Index("contract_amendments_contract", "contract_id", "amendment_id"),
    Index(
        "contract_amendments_one_open",
        "contract_id",
        unique=True,
        postgresql_where=text("state = 'proposed'"),
    ),
)

contract_terminations = Table(
    "contract_terminations",
    metadata,
    Column("termination_id", Uuid, primary_key=True),
    Column("contract_id", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("state", Text, nullable=False),
    CheckConstraint("state in ('requested', 'approved', 'rejected')", name="state"),
    Index(
        "contract_terminations_one_open",
        "contract_id",
        unique=True,
        postgresql_where=text("state = 'requested'"),
    ),
)

contract_changes = Table(
    "contract_changes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("contract_id", Uuid, nullable=False),
    Column("change", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("content_hash", Text),
    Column("reason", Text),
    Column("actor", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Index("contract_changes_contract", "contract_id", "id"),
)
"""Append-only: the change history of the paper, with who, when and why (X7)."""

contract_fulfilment = Table(
    "contract_fulfilment",
    metadata,
    Column("contract_id", Uuid, nullable=False),
    Column("line_no", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("ordered", BigInteger, nullable=False, server_default="0"),
    Column("shipped", BigInteger, nullable=False, server_default="0"),
    Column("late", BigInteger, nullable=False, server_default="0"),
    Column("shipped_fen", BigInteger, nullable=False, server_default="0"),
    Column("last_shipped_on", Date),
    PrimaryKeyConstraint("contract_id", "line_no"),
    CheckConstraint("0 <= shipped and shipped <= ordered and ordered <= quantity", name="quantities"),
    CheckConstraint("late between 0 and shipped", name="late"),
)
"""One row per line of the version in force (`quantity` 0 for a line that an amendment took out). `ordered` counts
what orders hold, shipped or not."""

contract_moves = Table(
    "contract_moves",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("contract_id", Uuid, nullable=False),
    Column("line_no", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("value_fen", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    CheckConstraint("kind in ('order', 'release', 'ship')", name="kind"),
    CheckConstraint("quantity > 0", name="quantity"),
    Index("contract_moves_line", "contract_id", "line_no", "id"),
)
"""Append-only; a line's moves sum to its fulfilment."""

declare(
    metadata,
    changes=(
        "contract_numbers",
        "contracts",
        "contract_amendments",
        "contract_terminations",
        "contract_fulfilment",
    ),
)
