"""Versions of branches, departments, posts and staff, of which none changes or goes and the newest holds; appointments."""

from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, Column, Date, ForeignKey, Index, Integer, Table, Text

from reporting.kernel.metadata import metadata
from reporting.organisation.rules import BranchKind
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare, one_of


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

staff_versions = Table(
    "staff_versions",
    metadata,
    *_versions(
        "staff",
        Column("manager_id", Text),
        Column("employed_from", Date, nullable=False),
        Column("employed_until", Date),
    ),
    CheckConstraint("employed_until >= employed_from", name="days"),
    CheckConstraint("manager_id <> staff_id", name="manager"),
)
"""A person's appointments changed, too: then a version says the same as the one before."""

appointments = Table(
    "appointments",
    metadata,
    Column("appointment_id", Text, primary_key=True),
    Column("staff_id", Text, nullable=False),
    Column("post_id", Text, nullable=False),
    Column("branch_id", Text),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    Column("state", Text, nullable=False),
    Column("told_by", Text, nullable=False),
    Column("told_at", INSTANT, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", INSTANT),
    Column("decided_reason", Text),
    one_of("state", ("proposed", "approved", "rejected")),
    CheckConstraint("valid_until >= valid_from", name="days"),
    CheckConstraint("decided_by <> told_by and decided_by <> staff_id", name="two_persons"),
    Index("appointments_staff", "staff_id"),
    Index("appointments_branch", "branch_id", "appointment_id"),
)

appointment_decisions = Table(
    "appointment_decisions",
    metadata,
    Column("appointment_id", Text, ForeignKey("appointments.appointment_id"), primary_key=True),
    *decision_columns(),
)

declare(metadata, changes=("appointments",))
