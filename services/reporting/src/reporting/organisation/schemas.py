"""JSON of branches, departments and posts."""

from datetime import date
from typing import Any, ClassVar

import msgspec
from marshmallow import Schema, fields, validate

from reporting.organisation.rules import (
    Appointment,
    Branch,
    BranchKind,
    Department,
    Post,
    StaffId,
    StaffMember,
)
from shared import texts
from shared.identity import ROLES
from shared.paging import PageArgs
from shared.texts import Label, Name
from shared.typed_fields import strict_field
from shared.validators import ANY_DAY, DAY, of

OUTCOMES = ("unchanged", "changed", "refused")
KINDS = {"enum": [each.value for each in BranchKind]}


def _fields_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Days as marshmallow documents them: the rules compare them and name what is wrong."""
    found: dict[str, Any] = {}
    for each in msgspec.structs.fields(kind):
        if each.type is date:
            found[each.name] = fields.Date(required=True, validate=ANY_DAY)
        elif each.type == date | None:
            found[each.name] = fields.Date(load_default=None, allow_none=True, validate=ANY_DAY)
        else:
            found[each.name] = strict_field(kind, each.name)
    return found


class BranchBody(Schema):
    """A branch under the id that tokens and facts name. `closed_on` is its last day."""

    class Meta:
        include: ClassVar = _fields_of(Branch)


class DepartmentBody(Schema):
    """A department and what it has to do, from and until when, both included."""

    class Meta:
        include: ClassVar = _fields_of(Department)


class PostBody(Schema):
    """A post of a department, what it has to do, and the roles that it gives, from and until when, both included."""

    class Meta:
        include: ClassVar = _fields_of(Post)


class Outcome(Schema):
    """`version` is the newest, null while there is none."""

    state = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    version = fields.Integer(required=True, allow_none=True)


class BranchOutcome(Outcome):
    branch_id = fields.String(required=True)


class DepartmentOutcome(Outcome):
    department_id = fields.String(required=True)


class PostOutcome(Outcome):
    post_id = fields.String(required=True)


class Line(Schema):
    """One line of the answer to an upload; `code`, `detail` and `errors` tell why a row is refused."""

    line = fields.Integer()
    state = fields.String(validate=validate.OneOf(OUTCOMES))
    version = fields.Integer(allow_none=True)
    code = fields.String()
    detail = fields.String()
    errors = fields.List(fields.Dict())


class BranchLine(Line):
    branch_id = fields.String(allow_none=True)


class DepartmentLine(Line):
    department_id = fields.String(allow_none=True)


class PostLine(Line):
    post_id = fields.String(allow_none=True)
    posts = fields.List(fields.String())
    roles = fields.List(fields.String())
    rule = fields.String()


class Kept(Schema):
    version = fields.Integer(required=True)
    changed_by = fields.String(required=True)
    changed_at = fields.AwareDateTime(required=True)


class BranchView(Kept):
    """What holds of a branch."""

    branch_id = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True, metadata=KINDS)
    region = fields.String(required=True)
    opened_on = fields.Date(required=True)
    closed_on = fields.Date(required=True, allow_none=True)


class BranchPage(Schema):
    items = fields.List(fields.Nested(BranchView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class BranchesArgs(PageArgs):
    branch_id = fields.String(load_default=None, validate=of(texts.Branch))
    kind = fields.String(load_default=None, validate=validate.OneOf(list(BranchKind)))
    region = fields.String(load_default=None, validate=of(Label))
    day = fields.Date(load_default=None, validate=DAY)


class DepartmentView(Kept):
    """What holds of a department."""

    department_id = fields.String(required=True)
    name = fields.String(required=True)
    duties = fields.String(required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True, allow_none=True)


class DepartmentPage(Schema):
    items = fields.List(fields.Nested(DepartmentView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DepartmentsArgs(PageArgs):
    department_id = fields.String(load_default=None, validate=of(Name))
    day = fields.Date(load_default=None, validate=DAY)


class PostView(Kept):
    """What holds of a post."""

    post_id = fields.String(required=True)
    department_id = fields.String(required=True)
    name = fields.String(required=True)
    duties = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True, allow_none=True)


class PostPage(Schema):
    items = fields.List(fields.Nested(PostView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class PostsArgs(PageArgs):
    post_id = fields.String(load_default=None, validate=of(Name))
    department_id = fields.String(load_default=None, validate=of(Name))
    role = fields.String(load_default=None, validate=validate.OneOf(sorted(ROLES)))
    day = fields.Date(load_default=None, validate=DAY)


class StaffMemberBody(Schema):
    """Somebody who works here, known by the subject of the token, from and until when, both included."""

    class Meta:
        include: ClassVar = _fields_of(StaffMember)


class StaffMemberOutcome(Outcome):
    staff_id = fields.String(required=True)


class StaffMemberLine(Line):
    staff_id = fields.String(allow_none=True)


class StaffMemberView(Kept):
    """What holds of a person; `version` also counts changes of what posts the person holds."""

    staff_id = fields.String(required=True)
    manager_id = fields.String(required=True, allow_none=True)
    employed_from = fields.Date(required=True)
    employed_until = fields.Date(required=True, allow_none=True)


class StaffMemberPage(Schema):
    items = fields.List(fields.Nested(StaffMemberView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class StaffMembersArgs(PageArgs):
    staff_id = fields.String(load_default=None, validate=of(StaffId))
    manager_id = fields.String(load_default=None, validate=of(StaffId))
    day = fields.Date(load_default=None, validate=DAY)


GIVEN = ("unchanged", "changed", "proposed", "rejected", "refused")
STATES = ("proposed", "approved", "rejected")


class AppointmentBody(Schema):
    """A post is given to somebody, in a branch or without one, from and until when, both included."""

    class Meta:
        include: ClassVar = _fields_of(Appointment)


class AppointmentOutcome(Schema):
    """`proposed` waits for a second person; `rejected` was rejected before."""

    appointment_id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(GIVEN))


class AppointmentLine(Schema):
    """One line of the answer to an upload; `code`, `detail` and `errors` tell why a row is refused."""

    line = fields.Integer()
    appointment_id = fields.String(allow_none=True)
    state = fields.String(validate=validate.OneOf(GIVEN))
    code = fields.String()
    detail = fields.String()
    errors = fields.List(fields.Dict())
    posts = fields.List(fields.String())
    roles = fields.List(fields.String())
    rule = fields.String()


class AppointmentView(Schema):
    """A post as it was given, or waits to be."""

    appointment_id = fields.String(required=True)
    staff_id = fields.String(required=True)
    post_id = fields.String(required=True)
    branch_id = fields.String(required=True, allow_none=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    told_by = fields.String(required=True)
    told_at = fields.AwareDateTime(required=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    decided_reason = fields.String(required=True, allow_none=True)


class AppointmentPage(Schema):
    items = fields.List(fields.Nested(AppointmentView), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class AppointmentsArgs(PageArgs):
    staff_id = fields.String(load_default=None, validate=of(StaffId))
    post_id = fields.String(load_default=None, validate=of(Name))
    branch_id = fields.String(load_default=None, validate=of(texts.Branch))
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))
    day = fields.Date(load_default=None, validate=DAY)
