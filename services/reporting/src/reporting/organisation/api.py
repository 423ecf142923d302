"""HTTP of branches, departments, posts and staff."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response

from reporting.kernel.scopes import READERS
from reporting.organisation import queries, schemas
from reporting.organisation.commands import appointments
from reporting.organisation.commands import registers as commands
from reporting.organisation.model import APPOINTMENTS, BRANCHES, DEPARTMENTS, POSTS, STAFF, Register, T
from reporting.organisation.rules import Appointment
from shared import row_upload
from shared.arguments import Blueprint
from shared.body import json_of_request
from shared.decisions import DecisionBody
from shared.row_upload import NDJSON
from shared.transaction import MakeTx, Tx
from shared.upload import answer_of
from shared.web import admits, command, detached, query, upload

blueprint = Blueprint("organisation", __name__, description="Branches, departments, posts and staff.")

TELLERS = ("hr", "management")
ALL_READERS = ("hr", *READERS)
SAME = "The same as before changes nothing."
MANY = "Each row stands for itself and is told as by itself. The same file may be sent again."
PER_ROW = "One line per row, in order."


def _body(schema: Any) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _told(tx: Tx, register: Register[T], judging: commands.Judging) -> dict[str, Any]:
    row = register.form.of_payload(json_of_request().value)
    return _shown(register, commands.tell(tx, register, row, judging))


def _told_many(make_tx: MakeTx, register: Register[T], judging: commands.Judging) -> Response:
    with row_upload.rows_sent(register.form) as items:
        lines = row_upload.results(make_tx, register.form, items, _taker(register, judging), {})
        return answer_of(lines, NDJSON)


def _taker(
    register: Register[T], judging: commands.Judging
) -> Callable[[Tx, Sequence[T]], list[row_upload.Answer]]:
    def take(tx: Tx, rows: Sequence[T]) -> list[row_upload.Answer]:
        outcomes = commands.take(tx, register, rows, judging)
        return [(_shown(register, each), each.refusal) for each in outcomes]

    return take


def _shown(register: Register[T], outcome: commands.Outcome) -> dict[str, Any]:
    return {register.key: outcome.id, "state": outcome.state, "version": outcome.version}


@blueprint.post("/branches")
@command
@admits(*TELLERS)
@blueprint.doc(requestBody=_body(schemas.BranchBody), summary="Tell one branch", description=SAME)
@blueprint.response(200, schemas.BranchOutcome)
def tell_branch(tx: Tx) -> dict[str, Any]:
    return _told(tx, BRANCHES, commands.of_branches)


@blueprint.post("/branches/bulk")
@upload
@detached
@admits(*TELLERS)
@blueprint.doc(requestBody=row_upload.documented("branch"), summary="Tell many branches", description=MANY)
@blueprint.response(200, schemas.BranchLine, content_type=NDJSON, description=PER_ROW)
def tell_branches(make_tx: MakeTx) -> Response:
    return _told_many(make_tx, BRANCHES, commands.of_branches)


@blueprint.get("/branches")
@query
@admits(*ALL_READERS)
@blueprint.arguments(schemas.BranchesArgs, location="query")
@blueprint.response(200, schemas.BranchPage)
def list_branches(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """The branches that the token covers, by id; with `day` those open on it."""
    return queries.branches(tx, args)


@blueprint.post("/departments")
@command
@admits(*TELLERS)
@blueprint.doc(requestBody=_body(schemas.DepartmentBody), summary="Tell one department", description=SAME)
@blueprint.response(200, schemas.DepartmentOutcome)
def tell_department(tx: Tx) -> dict[str, Any]:
    return _told(tx, DEPARTMENTS, commands.of_departments)


@blueprint.post("/departments/bulk")
@upload
@detached
@admits(*TELLERS)
@blueprint.doc(
    requestBody=row_upload.documented("department"), summary="Tell many departments", description=MANY
)
@blueprint.response(200, schemas.DepartmentLine, content_type=NDJSON, description=PER_ROW)
def tell_departments(make_tx: MakeTx) -> Response:
    return _told_many(make_tx, DEPARTMENTS, commands.of_departments)


@blueprint.get("/departments")
@query
@admits(*ALL_READERS)
@blueprint.arguments(schemas.DepartmentsArgs, location="query")
@blueprint.response(200, schemas.DepartmentPage)
def list_departments(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Departments and their duties, by id; with `day` those of that day."""
    return queries.departments(tx, args)


@blueprint.post("/posts")
@command
@admits(*TELLERS)
@blueprint.doc(requestBody=_body(schemas.PostBody), summary="Tell one post", description=SAME)
@blueprint.response(200, schemas.PostOutcome)
def tell_post(tx: Tx) -> dict[str, Any]:
    return _told(tx, POSTS, commands.of_posts)


@blueprint.post("/posts/bulk")
@upload
@detached
@admits(*TELLERS)
@blueprint.doc(requestBody=row_upload.documented("post"), summary="Tell many posts", description=MANY)
@blueprint.response(200, schemas.PostLine, content_type=NDJSON, description=PER_ROW)
def tell_posts(make_tx: MakeTx) -> Response:
    return _told_many(make_tx, POSTS, commands.of_posts)


@blueprint.get("/posts")
@query
@admits(*ALL_READERS)
@blueprint.arguments(schemas.PostsArgs, location="query")
@blueprint.response(200, schemas.PostPage)
def list_posts(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Posts with their duties and roles, by id; with `day` those of that day."""
    return queries.posts(tx, args)


@blueprint.post("/staff-members")
@command
@admits(*TELLERS)
@blueprint.doc(
    requestBody=_body(schemas.StaffMemberBody), summary="Tell one member of staff", description=SAME
)
@blueprint.response(200, schemas.StaffMemberOutcome)
def tell_staff_member(tx: Tx) -> dict[str, Any]:
    return _told(tx, STAFF, commands.of_staff)


@blueprint.post("/staff-members/bulk")
@upload
@detached
@admits(*TELLERS)
@blueprint.doc(
    requestBody=row_upload.documented("member of staff"), summary="Tell many of staff", description=MANY
)
@blueprint.response(200, schemas.StaffMemberLine, content_type=NDJSON, description=PER_ROW)
def tell_staff_members(make_tx: MakeTx) -> Response:
    return _told_many(make_tx, STAFF, commands.of_staff)


@blueprint.get("/staff-members")
@query
@admits(*ALL_READERS)
@blueprint.arguments(schemas.StaffMembersArgs, location="query")
@blueprint.response(200, schemas.StaffMemberPage)
def list_staff_members(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Staff, by id, for tokens that cover every branch; with `day` those employed on it."""
    return queries.staff(tx, args)


@blueprint.post("/appointments")
@command
@admits(*TELLERS)
@blueprint.doc(
    requestBody=_body(schemas.AppointmentBody),
    summary="Give a post",
    description=f"{SAME} A post that decides over others waits for a second person. Of an appointment that holds only "
    "an earlier end may be told.",
)
@blueprint.response(200, schemas.AppointmentOutcome)
def give_post(tx: Tx) -> dict[str, Any]:
    row = APPOINTMENTS.of_payload(json_of_request().value)
    return _given(appointments.give(tx, row))


@blueprint.post("/appointments/bulk")
@upload
@detached
@admits(*TELLERS)
@blueprint.doc(requestBody=row_upload.documented("appointment"), summary="Give many posts", description=MANY)
@blueprint.response(200, schemas.AppointmentLine, content_type=NDJSON, description=PER_ROW)
def give_posts(make_tx: MakeTx) -> Response:
    with row_upload.rows_sent(APPOINTMENTS) as items:
        return answer_of(row_upload.results(make_tx, APPOINTMENTS, items, _give_many, {}), NDJSON)


def _give_many(tx: Tx, rows: Sequence[Appointment]) -> list[row_upload.Answer]:
    return [(_given(each), each.refusal) for each in appointments.give_many(tx, rows)]


def _given(outcome: appointments.Outcome) -> dict[str, Any]:
    return {"appointment_id": outcome.appointment_id, "state": outcome.state}


@blueprint.get("/appointments")
@query
@admits(*ALL_READERS)
@blueprint.arguments(schemas.AppointmentsArgs, location="query")
@blueprint.response(200, schemas.AppointmentPage)
def list_appointments(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Who holds which post in the branches of the token, by id; with `day` what holds on it."""
    return queries.appointments(tx, args)


@blueprint.post("/appointments/<string:appointment_id>/decisions")
@command
@admits(appointments.DECIDED_BY)
@blueprint.arguments(DecisionBody)
@blueprint.response(200, schemas.AppointmentView)
def decide_appointment(tx: Tx, body: dict[str, Any], appointment_id: str) -> dict[str, Any]:
    """Give a post that decides over others, or refuse it; neither by who told of it nor by who would hold it."""
    appointments.decide(tx, appointment_id, **body)
    return queries.appointment(tx, appointment_id)
