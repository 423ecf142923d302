"""What branches, departments, posts and staff are, which duties no one holds together, what is refused of a row. Pure.

Source: R13, X1, X2, X4, model 3.0 (segregation of duties), ADR-0056
"""

import json
from collections.abc import Collection, Sequence
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Annotated, NamedTuple, NoReturn

import msgspec
from msgspec import Meta, Struct

from shared import texts
from shared.errors import Conflict, Invalid, NotFound
from shared.identity import ROLES, SUBJECT
from shared.languages import Text
from shared.texts import NOTE_CHARS_MAX, NOTE_PATTERN, PERSON_CHARS_MAX, Label, Name, Reference

ROLES_MAX = 10
"""Of one post."""
MACHINES = frozenset({"till", "feed", "operator"})
"""Roles of tokens that no post gives."""

APPOINTMENTS_MAX = 200
"""Of one person."""
APPROVING = frozenset(
    {
        *("business_head", "qa", "finance_head", "finance_auditor", "chief_accountant", "accounting_head"),
        *("cs_manager", "store_manager", "management", "unit_head", "privacy_officer", "hr"),
    }
)
"""Roles that decide over what others ask for: two persons give a post that has one."""

StaffId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=PERSON_CHARS_MAX,
        pattern=rf"\A(?!system:|service:){SUBJECT.pattern}\Z",
        description="the subject of a person's token, 1 to 128 characters",
    ),
]
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


class ManagerUnknown(Conflict):
    """The manager is nobody of the register, or the person alone."""

    code = "manager_unknown"
    cure = "Tell the manager first, or correct `manager_id`."


class AppointmentUnfounded(Conflict):
    """The person, the post or the branch is not known for all days of the appointment."""

    code = "appointment_unfounded"
    cure = "Tell what `errors` names for all of these days first, or correct the days."


class AppointmentFixed(Conflict):
    """It was judged, and maybe approved, as it was told."""

    code = "appointment_fixed"
    cure = "End this one, and tell another one with an id of its own."


class AppointmentsFull(Conflict):
    code = "appointments_full"
    cure = "Ask whether so many appointments of one person are meant."


class AppointmentNotFound(NotFound):
    code = "appointment_not_found"
    cure = "Look it up in the list of appointments."


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


class StaffMember(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody who works here, known by the subject of the token; no name, which the identity provider has."""

    staff_id: StaffId
    manager_id: StaffId | None = None
    employed_from: date
    employed_until: date | None = None


class Appointment(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A post is given to somebody, in a branch or without one, from and until when."""

    appointment_id: Reference
    staff_id: StaffId
    post_id: Name
    branch_id: texts.Branch | None = None
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
    if apart := kept_apart(told.roles, told.roles, told.valid_until):
        raise DutiesConflict(
            Text("nobody is {roles} at once: {rule}", roles=", ".join(sorted(apart.roles)), rule=apart.rule),
            posts=[told.post_id],
            rule=apart.rule,
        )


def kept_apart(ones: Collection[str], others: Collection[str], last: date | None) -> Apart | None:
    """The first rule in force by `last` (None: for ever) that forbids to hold one of `ones` with one of `others`."""
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


class Circumstances(NamedTuple):
    """What is known around an appointment; `others` are the person's other ones that were not rejected."""

    member: StaffMember | None
    post: Post | None
    branch: Branch | None
    others: Sequence[tuple[Appointment, Post]]


def require_member(told: StaffMember, members: Collection[str]) -> None:
    """Raises DaysOutOfOrder, ManagerUnknown."""
    _require_in_order("employed_until", told.employed_from, told.employed_until)
    if told.manager_id is not None and told.manager_id not in set(members) - {told.staff_id}:
        message = Text("{manager} is no other member of staff", manager=told.manager_id)
        raise ManagerUnknown(message, errors=[{"path": "manager_id", "message": message}])


def require_appointment(told: Appointment, around: Circumstances) -> None:
    """Raises DaysOutOfOrder, AppointmentUnfounded, AppointmentsFull, DutiesConflict."""
    _require_in_order("valid_until", told.valid_from, told.valid_until)
    member, post, branch = around.member, around.post, around.branch
    if member is None or not _within(told, member.employed_from, member.employed_until):
        _refuse_unfounded("staff_id")
    if post is None or not _within(told, post.valid_from, post.valid_until):
        _refuse_unfounded("post_id")
    if told.branch_id is not None and (
        branch is None or not _within(told, branch.opened_on, branch.closed_on)
    ):
        _refuse_unfounded("branch_id")
    if len(around.others) >= APPOINTMENTS_MAX:
        raise AppointmentsFull(Text("a person has at most {most} appointments", most=APPOINTMENTS_MAX))
    for other, held in around.others:
        _require_apart(told, post, other, held)


def _require_apart(told: Appointment, post: Post, other: Appointment, held: Post) -> None:
    first = max(told.valid_from, other.valid_from)
    ends = [each for each in (told.valid_until, other.valid_until) if each is not None]
    last = min(ends, default=None)
    if last is not None and last < first:
        return
    if apart := kept_apart(post.roles, held.roles, last):
        raise DutiesConflict(
            Text(
                "nobody holds {posts} at once: {rule}",
                posts=", ".join(sorted({post.post_id, held.post_id})),
                rule=apart.rule,
            ),
            posts=sorted({post.post_id, held.post_id}),
            roles=sorted(apart.roles),
            rule=apart.rule,
        )


def require_ending(told: Appointment, before: Appointment) -> None:
    """Nothing of an appointment changes but that it ends earlier. Raises AppointmentFixed, DaysOutOfOrder."""
    _require_in_order("valid_until", told.valid_from, told.valid_until)
    is_earlier = told.valid_until is not None and (
        before.valid_until is None or told.valid_until < before.valid_until
    )
    if not is_earlier or msgspec.structs.replace(told, valid_until=before.valid_until) != before:
        raise AppointmentFixed("of an appointment only an earlier end may be told")


def _within(told: Appointment, first: date, last: date | None) -> bool:
    return first <= told.valid_from and (
        last is None or (told.valid_until is not None and told.valid_until <= last)
    )


def _refuse_unfounded(path: str) -> NoReturn:
    message = Text("no {path} of that name is known for all of these days", path=path)
    raise AppointmentUnfounded(message, errors=[{"path": path, "message": message}])


def as_json(told: Struct) -> dict[str, object]:
    """The row with its days as texts."""
    said: dict[str, object] = msgspec.to_builtins(told)
    return said
