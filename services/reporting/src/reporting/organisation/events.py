"""What is told of the organisation: ids, days and what metrics group by; no names, no duties."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, TypedDict

from msgspec import Meta

from reporting.organisation.model import Known
from reporting.organisation.rules import (
    APPOINTMENTS_MAX,
    ROLES_MAX,
    Appointment,
    Branch,
    BranchKind,
    Department,
    Post,
    StaffId,
    StaffMember,
    as_json,
)
from shared import texts
from shared.events import Event
from shared.texts import AnyDay, Label, Name, Version, one_of

BRANCH_CHANGED: Final = "reporting.branch.changed.v1"
DEPARTMENT_CHANGED: Final = "reporting.department.changed.v1"
POST_CHANGED: Final = "reporting.post.changed.v1"
STAFF_CHANGED: Final = "reporting.staff.changed.v1"


class BranchChanged(TypedDict):
    """What holds of a branch; `closed_on` is its last day, null while none is known."""

    branch_id: texts.Branch
    branch_version: Version
    kind: Annotated[str, one_of(BranchKind)]
    region: Label
    opened_on: AnyDay
    closed_on: AnyDay | None


class DepartmentChanged(TypedDict):
    """From and until when there is such a department, both included."""

    department_id: Name
    department_version: Version
    valid_from: AnyDay
    valid_until: AnyDay | None


class PostChanged(TypedDict):
    """From and until when there is such a post, both included, and the roles that it gives."""

    post_id: Name
    post_version: Version
    department_id: Name
    roles: Annotated[list[Name], Meta(max_length=ROLES_MAX)]
    valid_from: AnyDay
    valid_until: AnyDay | None


class PostHeld(TypedDict):
    """A post that was given, in a branch or without one, from and until when, both included, and its roles."""

    post_id: Name
    branch_id: texts.Branch | None
    roles: Annotated[list[Name], Meta(max_length=ROLES_MAX)]
    valid_from: AnyDay
    valid_until: AnyDay | None


class StaffChanged(TypedDict):
    """From and until when somebody works here, under whom, and all posts given so far, those that ended too."""

    staff_id: StaffId
    staff_version: Version
    manager_id: StaffId | None
    employed_from: AnyDay
    employed_until: AnyDay | None
    posts: Annotated[list[PostHeld], Meta(max_length=APPOINTMENTS_MAX)]


PUBLISHED: Final[Mapping[str, type]] = {
    BRANCH_CHANGED: BranchChanged,
    DEPARTMENT_CHANGED: DepartmentChanged,
    POST_CHANGED: PostChanged,
    STAFF_CHANGED: StaffChanged,
}
_UNTOLD: Final = ("name", "duties")


def changed(known: Known[Any], day: date) -> Event[Any]:
    """A version of any register was told on this day."""
    type_, noun = _OF[type(known.row)]
    said = {name: value for name, value in as_json(known.row).items() if name not in _UNTOLD}
    return Event(
        type=type_,
        subject=str(said[f"{noun}_id"]),
        version=known.version,
        day=day,
        data={**said, f"{noun}_version": known.version},
    )


_OF: Final[Mapping[type, tuple[str, str]]] = {
    Branch: (BRANCH_CHANGED, "branch"),
    Department: (DEPARTMENT_CHANGED, "department"),
    Post: (POST_CHANGED, "post"),
}


def staff_changed(
    known: Known[StaffMember], held: Sequence[tuple[Appointment, Post]], day: date
) -> Event[Any]:
    """A person, or what posts the person holds, was told or approved on this day."""
    posts = [
        {
            "post_id": post.post_id,
            "branch_id": appointment.branch_id,
            "roles": list(post.roles),
            "valid_from": appointment.valid_from.isoformat(),
            "valid_until": None if appointment.valid_until is None else appointment.valid_until.isoformat(),
        }
        for appointment, post in held
    ]
    return Event(
        type=STAFF_CHANGED,
        subject=known.row.staff_id,
        version=known.version,
        day=day,
        data={**as_json(known.row), "staff_version": known.version, "posts": posts},
    )
