"""Versions of products, each from a day on; what waits for quality assurance; the uploads that told them."""

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.metadata import metadata
from finance.kernel.receipt import TempClass
from finance.products.rules import ControlClass, LegalClass
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare, one_of

product_versions = Table(
    "product_versions",
    metadata,
    Column("product_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("effective_from", Date, nullable=False),
    Column("generic_name", Text, nullable=False),
    Column("legal_class", Text, nullable=False),
    Column("control_class", Text, nullable=False),
    Column("temp_class", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("pack_factor", Integer, nullable=False),
    Column("trade_name", Text),
    Column("dosage_form", Text),
    Column("specification", Text),
    Column("mah", Text),
    Column("maker", Text),
    Column("approval_number", Text),
    Column("gtins", ARRAY(Text), nullable=False),
    Column("trace_prefixes", ARRAY(Text), nullable=False),
    Column("vat_code", Text),
    Column("source", Text, nullable=False),
    Column("source_version", Text, nullable=False),
    Column("upload_id", Uuid),
    Column("proposal_id", Uuid),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", INSTANT, nullable=False),
    CheckConstraint("version > 0 and pack_factor > 0", name="numbers"),
    one_of("legal_class", LegalClass),
    one_of("control_class", ControlClass),
    one_of("temp_class", TempClass),
    Index("product_versions_gtins", "gtins", postgresql_using="gin"),
    Index("product_versions_trace_prefixes", "trace_prefixes", postgresql_using="gin"),
    Index("product_versions_approval_number", "approval_number"),
)
"""What holds of a product from `effective_from` on, until its next version begins. Versions rise with their days, and
neither change nor go. `changed_by` told it, or approved it.
"""

product_words = Table(
    "product_words",
    metadata,
    Column("product_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("effective_from", Date, nullable=False),
    Column("words", Text, nullable=False),
    Column("grams", ARRAY(Text), nullable=False),
    Index(
        "product_words_grams",
        "grams",
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 1024},
    ),
)
"""What finds a product (`shared.search`): a row for each version whose names or codes differ from those before it."""

product_codes = Table(
    "product_codes",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("product_id", Text, nullable=False),
    one_of("kind", ("gtin", "trace_prefix")),
    Index("product_codes_product", "product_id"),
)
"""Which product has a code now, by the newest version of each: a code names one."""

product_proposals = Table(
    "product_proposals",
    metadata,
    Column("proposal_id", Uuid, primary_key=True),
    Column("product_id", Text, nullable=False),
    Column("fields", JSONB, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_version", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", INSTANT, nullable=False),
    Column("upload_id", Uuid),
    Column("decided_by", Text),
    Column("decided_at", INSTANT),
    Column("decided_reason", Text),
    Column("version", Integer),
    one_of("state", ("proposed", "approved", "rejected", "superseded")),
    CheckConstraint("(state in ('approved', 'rejected')) = (decided_by is not null)", name="decided"),
    CheckConstraint("(state = 'approved') = (version is not null)", name="version"),
    CheckConstraint("decided_by <> proposed_by", name="two_persons"),
    Index(
        "product_proposals_waiting",
        "product_id",
        unique=True,
        postgresql_where=text("state = 'proposed'"),
    ),
    Index("product_proposals_product", "product_id", "proposal_id"),
    Index("product_proposals_upload", "upload_id"),
)
"""`fields` are those that change, of a new product all of them; `version` is what became of it. One waits of a product:
another takes its place.
"""

product_uploads = Table(
    "product_uploads",
    metadata,
    Column("upload_id", Uuid, primary_key=True),
    Column("uploaded_by", Text, nullable=False),
    Column("uploaded_at", INSTANT, nullable=False),
)

product_decisions = Table(
    "product_decisions", metadata, Column("subject_id", Uuid, primary_key=True), *decision_columns()
)
"""What was decided on a proposal, or on all that waited of an upload, each by its id."""

declare(
    metadata,
    changes=("product_proposals",),
    removes={"product_codes": "a product gives a code up"},
    working={
        "product_codes": "says again what the newest versions say, so that a code is found by itself",
        "product_words": "says again what versions say, so that it is found by a part of it",
    },
)
