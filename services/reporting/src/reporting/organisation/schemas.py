"""JSON of branches, departments and posts."""

from datetime import date
from typing import Any, ClassVar

import msgspec
from marshmallow import Schema, fields, validate

from reporting.organisation.rules import Branch, BranchKind, Department, Post
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
