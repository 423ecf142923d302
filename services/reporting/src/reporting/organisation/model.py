"""A register of the organisation: its rows, told by their source, each change a version. Pure."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from msgspec import Struct

from reporting.organisation.rules import Appointment, Branch, Department, Post, StaffMember
from shared.typed_rows import Form

T = TypeVar("T", bound=Struct)


@dataclass(frozen=True, slots=True)
class Register(Generic[T]):
    """Rows of one kind; `noun` names it in the audit and in its events, `key` is the field with its id."""

    noun: str
    kind: type[T]
    form: Form[T]

    @property
    def key(self) -> str:
        return self.form.key

    def id_of(self, row: Struct) -> str:
        found: str = getattr(row, self.form.key)
        return found


BRANCHES = Register("branch", Branch, Form(Branch, "branch_id"))
DEPARTMENTS = Register("department", Department, Form(Department, "department_id"))
POSTS = Register("post", Post, Form(Post, "post_id"))
STAFF = Register("staff", StaffMember, Form(StaffMember, "staff_id"))
APPOINTMENTS = Form(Appointment, "appointment_id")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """The newest version of a row."""

    row: T
    version: int


@dataclass(frozen=True, slots=True)
class Given:
    """An appointment as it is kept: `proposed` until a second person decides where the post approves."""

    appointment: Appointment
    state: str
    told_by: str
