"""What branches, departments and posts are, which duties no one holds together, and what is refused of a row. Pure.

Source: R13, X1, X2, X4, model 3.0 (segregation of duties), ADR-0056
"""

import json
from collections.abc import Collection
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from shared import texts
from shared.errors import Conflict, Invalid
from shared.identity import ROLES
from shared.languages import Text
from shared.texts import NOTE_CHARS_MAX, NOTE_PATTERN, Label, Name

ROLES_MAX = 10
"""Of one post."""
MACHINES = frozenset({"till", "feed", "operator"})
"""Roles of tokens that no post gives."""

Duties = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=NOTE_CHARS_MAX,
        pattern=NOTE_PATTERN,
        description="1 to 4,000 characters, lines allowed, no other control characters, one of them visible",
    ),
]


class DaysOutOfOrder(Invalid):
    code = "days_out_of_order"
    cure = "Correct the days: the last is not before the first."


class DepartmentUnknown(Conflict):
    """The post is of a department that the register does not have."""

    code = "department_unknown"
    cure = "Tell the department first, or correct `department_id`."


class RoleUnknown(Invalid):
    """No token has such a role, or one of machines alone."""

    code = "role_unknown"
    cure = "Name roles of people, as the document of each operation lists them."


class PostRolesFixed(Conflict):
    """Who holds the post was judged by its roles."""

    code = "post_roles_fixed"
    cure = "End this post and tell another one with the other roles."


class DutiesConflict(Conflict):
    """One person may not hold both."""

    code = "duties_conflict"
    cure = "Let another person hold one of the two."


class BranchKind(StrEnum):
    SHOP = "shop"
    WAREHOUSE = "warehouse"
    OFFICE = "office"


class Branch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A branch under the id that tokens and facts name. `closed_on` is its last day."""

    branch_id: texts.Branch
    name: Label
    kind: BranchKind
    region: Label
    opened_on: date
    closed_on: date | None = None


class Department(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A department and what it has to do."""

    department_id: Name
    name: Label
    duties: Duties
    valid_from: date
    valid_until: date | None = None


class Post(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A post of a department, what it has to do, and the roles that its holders' tokens may name."""

    post_id: Name
    department_id: Name
    name: Label
    duties: Duties
    roles: Annotated[list[Name], Meta(max_length=ROLES_MAX)] = []
    valid_from: date
    valid_until: date | None = None


class Apart(NamedTuple):
    """Two roles that nobody holds together, from a day on, by which rule, and how sure we are of its words."""

    effective_from: date
    roles: frozenset[str]
    rule: str
    mark: str


def require_branch(told: Branch) -> None:
    """Raises DaysOutOfOrder."""
    _require_in_order("closed_on", told.opened_on, told.closed_on)


def require_department(told: Department) -> None:
    """Raises DaysOutOfOrder."""
    _require_in_order("valid_until", told.valid_from, told.valid_until)


def require_post(told: Post, before: Post | None, departments: Collection[str]) -> None:
    """Raises DaysOutOfOrder, DepartmentUnknown, RoleUnknown, PostRolesFixed, DutiesConflict."""
    _require_in_order("valid_until", told.valid_from, told.valid_until)
    if told.department_id not in departments:
        message = Text("no department {department_id} is known", department_id=told.department_id)
        raise DepartmentUnknown(message, errors=[{"path": "department_id", "message": message}])
    if unknown := sorted(set(told.roles) - (ROLES - MACHINES)):
        message = Text("no person has such a role: {unknown}", unknown=", ".join(unknown))
        raise RoleUnknown(message, errors=[{"path": "roles", "message": message}])
    if before is not None and set(before.roles) != set(told.roles):
        raise PostRolesFixed(
            Text("the post has the roles {roles}", roles=", ".join(sorted(before.roles)) or "-"),
            roles=sorted(before.roles),
        )
    if apart := kept_apart(told.roles, told.roles, told.valid_from, told.valid_until):
        raise DutiesConflict(
            Text("nobody is {roles} at once: {rule}", roles=", ".join(sorted(apart.roles)), rule=apart.rule),
            posts=[told.post_id],
            rule=apart.rule,
        )


def kept_apart(
    ones: Collection[str], others: Collection[str], first: date, last: date | None
) -> Apart | None:
    """The first rule in force on any of the days that forbids to hold one of `ones` with one of `others`."""
    pairs = {frozenset(pair) for pair in product(ones, others)}
    for rule in duties_apart():
        if rule.roles in pairs and (last is None or rule.effective_from <= last):
            return rule
    return None


@cache
def duties_apart() -> list[Apart]:
    """Every rule, in the order of the data."""
    rows = json.loads((files("reporting.organisation") / "data" / "duties.json").read_text(encoding="utf-8"))
    return [
        Apart(date.fromisoformat(row["effective_from"]), frozenset(row["roles"]), row["source"], row["mark"])
        for row in rows
    ]


def _require_in_order(path: str, first: date, last: date | None) -> None:
    if last is not None and last < first:
        message = Text("{last} lies before {first}", last=last, first=first)
        raise DaysOutOfOrder(message, errors=[{"path": path, "message": message}])


def as_json(told: Struct) -> dict[str, object]:
    """The row with its days as texts."""
    said: dict[str, object] = msgspec.to_builtins(told)
    return said
