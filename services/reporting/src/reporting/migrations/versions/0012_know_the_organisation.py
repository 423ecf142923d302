"""Versions of branches, departments and posts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _versions(noun: str, *columns: Any) -> None:
    name = f"{noun}_versions"
    op.create_table(
        name,
        sa.Column(f"{noun}_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *columns,
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f(f"ck_{name}_version")),
        sa.PrimaryKeyConstraint(f"{noun}_id", "version", name=op.f(f"pk_{name}")),
    )


def _text(name: str) -> Any:
    return sa.Column(name, sa.Text(), nullable=False)


def _days(name: str) -> list[Any]:
    return [
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f(f"ck_{name}_days")),
    ]


def upgrade() -> None:
    _versions(
        "branch",
        *(_text(each) for each in ("name", "kind", "region")),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("kind in ('shop', 'warehouse', 'office')", name=op.f("ck_branch_versions_kind")),
        sa.CheckConstraint("closed_on >= opened_on", name=op.f("ck_branch_versions_days")),
    )
    _versions("department", *(_text(each) for each in ("name", "duties")), *_days("department_versions"))
    _versions(
        "post",
        *(_text(each) for each in ("department_id", "name", "duties")),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=False),
        *_days("post_versions"),
    )


def downgrade() -> None:
    for noun in ("post", "department", "branch"):
        op.drop_table(f"{noun}_versions")
