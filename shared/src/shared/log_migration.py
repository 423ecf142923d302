"""What gives every service's outbox and inbox an incarnation: one migration each calls this.

An existing log gets its running hash in one pass. A consumer whose inbox was pruned cannot know the hash of what it
has forgotten: it takes its producer's at the next head beat.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.incarnation import DIGEST, PLACE

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _producer()
    _consumer()


def _producer() -> None:
    op.add_column("outbox", sa.Column("log_hash", sa.BigInteger()))
    op.execute(
        "update outbox o set log_hash = hashed.log_hash from ("
        f" select id, bit_xor({DIGEST.format(seq='seq', id='event_id')}) over (order by seq) as log_hash"
        " from outbox where seq is not null) as hashed where o.id = hashed.id"
    )
    op.add_column("outbox_head", sa.Column("epoch", sa.BigInteger(), server_default="1", nullable=False))
    op.add_column("outbox_head", sa.Column("log_hash", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("outbox_head", sa.Column("place", sa.Text()))
    op.add_column("outbox_head", sa.Column("disputed", sa.Text()))
    op.add_column("outbox_head", sa.Column("disputed_epoch", sa.BigInteger()))
    op.execute(
        f"update outbox_head h set place = {PLACE},"
        " log_hash = coalesce((select log_hash from outbox where seq = h.last_seq), 0)"
    )
    op.alter_column("outbox_head", "place", nullable=False)
    op.create_table(
        "log_epochs",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("begins_after", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", INSTANT, nullable=False),
        sa.Column("raised_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_log_epochs")),
    )


def _consumer() -> None:
    op.create_table(
        "inbox_pages",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("page_hash", sa.BigInteger(), nullable=False),
        sa.Column("event_ids", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source", "first_seq", name=op.f("pk_inbox_pages")),
    )
    op.add_column("source_state", sa.Column("epoch", sa.BigInteger()))
    op.add_column("source_state", sa.Column("log_hash", sa.BigInteger(), server_default="0"))
    op.execute("update source_state set epoch = 1, log_hash = null where max_seq > 0")
    for name, kind in (
        ("stuck_since", INSTANT),
        ("halted_at", INSTANT),
        ("halted_reason", sa.Text()),
        ("halted_detail", sa.Text()),
    ):
        op.add_column("source_state", sa.Column(name, kind))
    op.create_table(
        "accepted_epochs",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", INSTANT, nullable=False),
        sa.Column("before_epoch", sa.BigInteger()),
        sa.Column("ancestor_seq", sa.BigInteger(), nullable=False),
        sa.Column("lost_events", sa.BigInteger(), nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "epoch", "accepted_at", name=op.f("pk_accepted_epochs")),
    )
    op.create_table(
        "lost_events",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger()),
        sa.Column("noted_at", INSTANT, nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("source", "seq", "event_id", name=op.f("pk_lost_events")),
    )


def downgrade() -> None:
    for table in ("lost_events", "accepted_epochs", "inbox_pages", "log_epochs"):
        op.drop_table(table)
    for name in ("halted_detail", "halted_reason", "halted_at", "stuck_since", "log_hash", "epoch"):
        op.drop_column("source_state", name)
    for name in ("disputed_epoch", "disputed", "place", "log_hash", "epoch"):
        op.drop_column("outbox_head", name)
    op.drop_column("outbox", "log_hash")
