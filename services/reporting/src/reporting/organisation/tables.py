"""Versions of branches, departments and posts. None changes or goes; the newest of each holds."""

from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, Column, Date, Integer, Table, Text

from reporting.kernel.metadata import metadata
from reporting.organisation.rules import BranchKind
from shared.tables import INSTANT, one_of


def _versions(noun: str, *columns: Column[Any]) -> list[Any]:
    return [
        Column(f"{noun}_id", Text, primary_key=True),
        Column("version", Integer, primary_key=True),
        *columns,
        Column("changed_by", Text, nullable=False),
        Column("changed_at", INSTANT, nullable=False),
        CheckConstraint("version > 0", name="version"),
    ]


branch_versions = Table(
    "branch_versions",
    metadata,
    *_versions(
        "branch",
        Column("name", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("region", Text, nullable=False),
        Column("opened_on", Date, nullable=False),
        Column("closed_on", Date),
    ),
    one_of("kind", BranchKind),
    CheckConstraint("closed_on >= opened_on", name="days"),
)

department_versions = Table(
    "department_versions",
    metadata,
    *_versions(
        "department",
        Column("name", Text, nullable=False),
        Column("duties", Text, nullable=False),
        Column("valid_from", Date, nullable=False),
        Column("valid_until", Date),
    ),
    CheckConstraint("valid_until >= valid_from", name="days"),
)

post_versions = Table(
    "post_versions",
    metadata,
    *_versions(
        "post",
        Column("department_id", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("duties", Text, nullable=False),
        Column("roles", ARRAY(Text), nullable=False),
        Column("valid_from", Date, nullable=False),
        Column("valid_until", Date),
    ),
    CheckConstraint("valid_until >= valid_from", name="days"),
)
