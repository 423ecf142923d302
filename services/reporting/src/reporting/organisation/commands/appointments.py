"""Give posts: duties that no one holds together are kept apart, and two persons give a post that approves.

Source: X1, X4, model 3.0 (segregation of duties), 会计法 Art 25 and 35, ADR-0056
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from reporting.organisation import store
from reporting.organisation.commands.registers import tell_anew
from reporting.organisation.model import BRANCHES, POSTS, STAFF, Given, Known
from reporting.organisation.rules import (
    APPROVING,
    Appointment,
    AppointmentFixed,
    AppointmentNotFound,
    Branch,
    Circumstances,
    Post,
    StaffMember,
    as_json,
    require_appointment,
    require_ending,
)
from reporting.organisation.tables import appointment_decisions
from shared import audit
from shared.approvals import AlreadyDecided, Approval, decide_and_store
from shared.errors import DomainError
from shared.identity import EVERY_BRANCH
from shared.languages import Text
from shared.transaction import Tx

DECIDED_BY = "management"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: `unchanged`, `changed`, `proposed`, `rejected` before, or `refused` and why."""

    appointment_id: str
    state: str
    refusal: DomainError | None = None


@dataclass(slots=True)
class _Book:
    """What is known of the persons of some rows, row by row."""

    told_by: str
    by_id: dict[str, Given]
    of: dict[str, list[Given]]
    members: dict[str, Known[StaffMember]]
    posts: dict[str, Known[Post]]
    branches: dict[str, Known[Branch]]
    added: list[Given] = field(default_factory=list)
    ended: list[Appointment] = field(default_factory=list)

    def around(self, row: Appointment) -> Circumstances:
        member, post = self.members.get(row.staff_id), self.posts.get(row.post_id)
        branch = self.branches.get(row.branch_id or "")
        others = [
            (each.appointment, self.posts[each.appointment.post_id].row)
            for each in self.of.get(row.staff_id, ())
            if each.state != "rejected" and each.appointment.appointment_id != row.appointment_id
        ]
        return Circumstances(
            None if member is None else member.row,
            None if post is None else post.row,
            None if branch is None else branch.row,
            others,
        )


def give(tx: Tx, row: Appointment) -> Outcome:
    """One appointment.

    Raises ForeignBranch, AppointmentFixed, DaysOutOfOrder, AppointmentUnfounded, AppointmentsFull, DutiesConflict.
    """
    book = _begun(tx, [row])
    outcome = _weighed(book, row)
    _write(tx, book)
    return outcome


def give_many(tx: Tx, rows: Sequence[Appointment]) -> list[Outcome]:
    """What became of each row, in order; each finds what those before it told. A refused one hurts no other.

    Raises ForeignBranch.
    """
    book = _begun(tx, rows)
    outcomes = []
    for row in rows:
        try:
            outcomes.append(_weighed(book, row))
        except DomainError as refusal:
            outcomes.append(Outcome(row.appointment_id, "refused", refusal))
    _write(tx, book)
    return outcomes


def _begun(tx: Tx, rows: Sequence[Appointment]) -> _Book:
    tx.actor.require_branch(EVERY_BRANCH)
    store.lock(tx)
    return _book(tx, rows)


def _book(tx: Tx, rows: Sequence[Appointment]) -> _Book:
    of = store.appointments_of(tx, {each.staff_id for each in rows})
    held = {each.appointment.post_id for every in of.values() for each in every}
    return _Book(
        told_by=tx.actor.id,
        by_id=store.appointments_by_id(tx, {each.appointment_id for each in rows}),
        of=of,
        members=store.newest(tx, STAFF, of.keys()),
        posts=store.newest(tx, POSTS, held | {each.post_id for each in rows}),
        branches=store.newest(tx, BRANCHES, {each.branch_id for each in rows if each.branch_id is not None}),
    )


def _weighed(book: _Book, row: Appointment) -> Outcome:
    before = book.by_id.get(row.appointment_id)
    if before is None:
        require_appointment(row, book.around(row))
        approves = APPROVING & set(book.posts[row.post_id].row.roles)
        given = Given(row, "proposed" if approves else "approved", book.told_by)
        book.added.append(given)
        book.of[row.staff_id].append(given)
        outcome = "proposed" if approves else "changed"
    elif before.appointment == row:
        return Outcome(row.appointment_id, "unchanged" if before.state == "approved" else before.state)
    elif before.state != "approved":
        raise AppointmentFixed(Text("this one is {state}", state=before.state), state=before.state)
    else:
        require_ending(row, before.appointment)
        given = Given(row, before.state, before.told_by)
        book.ended.append(row)
        book.of[row.staff_id] = [given if each == before else each for each in book.of[row.staff_id]]
        outcome = "changed"
    book.by_id[row.appointment_id] = given
    return Outcome(row.appointment_id, outcome)


def _write(tx: Tx, book: _Book) -> None:
    if not book.added and not book.ended:
        return
    store.add_appointments(tx, book.added)
    for each in book.ended:
        store.end_appointment(tx, each)
    rows = [*(each.appointment for each in book.added), *book.ended]
    audit.record(tx, "appointment.give", rows[0].appointment_id, after=[as_json(each) for each in rows])
    holding = [each.appointment for each in book.added if each.state == "approved"]
    tell_anew(tx, {each.staff_id for each in (*holding, *book.ended)})


def decide(tx: Tx, appointment_id: str, *, approved: bool, reason: str | None) -> None:
    """Give a post that approves, or refuse it: neither who told of it decides, nor who would hold it.

    Raises ForeignBranch, AppointmentNotFound, AlreadyDecided, the refusals of shared.approvals and of `give`.
    """
    tx.actor.require_branch(EVERY_BRANCH)
    store.lock(tx)
    given = store.appointments_by_id(tx, [appointment_id]).get(appointment_id)
    if given is None:
        raise AppointmentNotFound("no such appointment")
    if given.state != "proposed":
        raise AlreadyDecided(Text("this was already {state}", state=given.state))
    row = given.appointment
    if approved:
        require_appointment(row, _book(tx, [row]).around(row))
    decision, state = decide_and_store(
        tx,
        appointment_decisions,
        {"appointment_id": appointment_id},
        Approval(
            required=frozenset({DECIDED_BY}),
            excluded=frozenset({given.told_by, row.staff_id}),
            subject_hash=str(audit.digest(as_json(row))),
        ),
        approved=approved,
        reason=reason,
    )
    store.settle(tx, appointment_id, state, decision)
    audit.record(tx, f"appointment.{state}", appointment_id, after=[as_json(row), reason])
    if approved:
        tell_anew(tx, {row.staff_id})
