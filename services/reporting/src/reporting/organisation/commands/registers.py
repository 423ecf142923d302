"""Take rows of the registers from their source: the same as before changes nothing, anything else is a version.

Source: R13, X1, X2, X4, ADR-0056
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from reporting.organisation import events, store
from reporting.organisation.model import DEPARTMENTS, POSTS, STAFF, Known, Register, T
from reporting.organisation.rules import (
    Appointment,
    Branch,
    Department,
    Post,
    StaffMember,
    as_json,
    require_branch,
    require_department,
    require_member,
    require_post,
)
from shared import audit, outbox
from shared.clock import business_date
from shared.errors import DomainError
from shared.events import Event
from shared.identity import EVERY_BRANCH
from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: `unchanged`, `changed`, or `refused` and why. `version` is the newest, if there is one."""

    id: str
    state: str
    version: int | None
    refusal: DomainError | None = None


Judge = Callable[[Any, Any], None]
"""Of a row and of what was known before it: raises why the row is refused."""


Judging = Callable[[Tx, Sequence[Any]], Judge]
"""What judges these rows, with all that it needs to know of other registers."""


def of_branches(tx: Tx, rows: Sequence[Branch]) -> Judge:
    return lambda row, _: require_branch(row)


def of_departments(tx: Tx, rows: Sequence[Department]) -> Judge:
    return lambda row, _: require_department(row)


def of_posts(tx: Tx, rows: Sequence[Post]) -> Judge:
    departments = store.newest(tx, DEPARTMENTS, {each.department_id for each in rows})
    return lambda row, before: require_post(row, before, departments.keys())


def of_staff(tx: Tx, rows: Sequence[StaffMember]) -> Judge:
    members = set(store.newest(tx, STAFF, {each.manager_id for each in rows if each.manager_id is not None}))

    def judge(row: StaffMember, _: StaffMember | None) -> None:
        require_member(row, members)
        members.add(row.staff_id)

    return judge


def tell(tx: Tx, register: Register[T], row: T, judging: Judging) -> Outcome:
    """One row. Raises ForeignBranch, and what `judging` refuses."""
    [outcome] = take(tx, register, [row], judging)
    if outcome.refusal is not None:
        raise outcome.refusal
    return outcome


def take(tx: Tx, register: Register[T], rows: Sequence[T], judging: Judging) -> list[Outcome]:
    """What became of each row, in order; each finds what those before it told. A refused one hurts no other.

    Raises ForeignBranch.
    """
    tx.actor.require_branch(EVERY_BRANCH)
    store.lock(tx)
    known = store.newest(tx, register, {register.id_of(each) for each in rows})
    judge = judging(tx, rows)
    changes: list[Known[T]] = []
    outcomes = []
    for row in rows:
        row_id = register.id_of(row)
        before = known.get(row_id)
        version = None if before is None else before.version
        if before is not None and before.row == row:
            outcomes.append(Outcome(row_id, "unchanged", version))
            continue
        try:
            judge(row, None if before is None else before.row)
        except DomainError as refusal:
            outcomes.append(Outcome(row_id, "refused", version, refusal))
            continue
        known[row_id] = Known(row, (version or 0) + 1)
        changes.append(known[row_id])
        outcomes.append(Outcome(row_id, "changed", known[row_id].version))
    _write(tx, register, changes)
    return outcomes


def _write(tx: Tx, register: Register[T], changes: Sequence[Known[T]]) -> None:
    if not changes:
        return
    store.add(tx, register, changes)
    outbox.append(tx, *_events(tx, register, changes))
    audit.record(
        tx,
        f"{register.noun}.change",
        register.id_of(changes[0].row),
        after=[[register.id_of(each.row), each.version, audit.digest(as_json(each.row))] for each in changes],
    )


def _events(tx: Tx, register: Register[T], changes: Sequence[Known[Any]]) -> list[Event[Any]]:
    day = business_date(tx.now)
    if register.noun != STAFF.noun:
        return [events.changed(each, day) for each in changes]
    held = posts_held(tx, {each.row.staff_id for each in changes})
    return [events.staff_changed(each, held[each.row.staff_id], day) for each in changes]


def posts_held(tx: Tx, staff_ids: Collection[str]) -> dict[str, list[tuple[Appointment, Post]]]:
    """The posts that were given to each of these persons, with what they are."""
    given = store.appointments_of(tx, staff_ids)
    wanted = {each.appointment.post_id for every in given.values() for each in every}
    posts = store.newest(tx, POSTS, wanted)
    return {
        staff_id: [
            (each.appointment, posts[each.appointment.post_id].row)
            for each in every
            if each.state == "approved"
        ]
        for staff_id, every in given.items()
    }


def tell_anew(tx: Tx, staff_ids: Collection[str]) -> None:
    """What these persons hold has changed: a version of each says so."""
    known = store.newest(tx, STAFF, staff_ids)
    _write(tx, STAFF, [Known(each.row, each.version + 1) for _, each in sorted(known.items())])
