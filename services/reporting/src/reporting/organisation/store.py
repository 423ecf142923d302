"""The statements that keep versions of the registers; all within the caller's transaction."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Table, insert, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on

from reporting.organisation import tables
from reporting.organisation.model import Given, Known, Register, T
from reporting.organisation.rules import Appointment
from reporting.organisation.tables import appointments
from shared.approvals import Decision
from shared.transaction import Tx

_VERSIONS: Mapping[str, Table] = {
    "branch": tables.branch_versions,
    "department": tables.department_versions,
    "post": tables.post_versions,
    "staff": tables.staff_versions,
}


def lock(tx: Tx) -> None:
    """One changes the organisation at a time, until its transaction ends."""
    tx.conn.execute(text("select pg_advisory_xact_lock(hashtextextended('reporting:organisation', 0))"))


def newest(tx: Tx, register: Register[T], ids: Collection[str]) -> dict[str, Known[T]]:
    """What is known of each of these ids; nothing of one that was never told."""
    table = _VERSIONS[register.noun]
    key = table.c[register.key]
    wanted = select(table).where(key.in_(sorted(ids))).order_by(key, table.c.version.desc())
    wanted = wanted.ext(distinct_on(key))
    found = {}
    for row in tx.conn.execute(wanted).mappings():
        content = {name: row[name] for name in register.form.columns}
        found[row[register.key]] = Known(msgspec.convert(content, register.kind), row["version"])
    return found


def add(tx: Tx, register: Register[T], versions: Sequence[Known[T]]) -> None:
    if versions:
        said = {"changed_by": tx.actor.id, "changed_at": tx.now}
        tx.conn.execute(insert(_VERSIONS[register.noun]), [{**_values(each), **said} for each in versions])


def _values(known: Known[Any]) -> dict[str, Any]:
    return {**msgspec.structs.asdict(known.row), "version": known.version}


def appointments_by_id(tx: Tx, ids: Collection[str]) -> dict[str, Given]:
    """Those of these ids that were told."""
    found = tx.conn.execute(select(appointments).where(appointments.c.appointment_id.in_(sorted(ids))))
    return {row["appointment_id"]: _given(row) for row in found.mappings()}


def appointments_of(tx: Tx, staff_ids: Collection[str]) -> dict[str, list[Given]]:
    """All that were told of each of these persons, by id."""
    wanted = select(appointments).where(appointments.c.staff_id.in_(sorted(staff_ids)))
    found: dict[str, list[Given]] = {each: [] for each in staff_ids}
    for row in tx.conn.execute(wanted.order_by(appointments.c.appointment_id)).mappings():
        found[row["staff_id"]].append(_given(row))
    return found


def _given(row: Mapping[Any, Any]) -> Given:
    content = {name: row[name] for name in Appointment.__struct_fields__}
    return Given(msgspec.convert(content, Appointment), row["state"], row["told_by"])


def add_appointments(tx: Tx, given: Sequence[Given]) -> None:
    if given:
        said = {"told_by": tx.actor.id, "told_at": tx.now}
        rows = [{**msgspec.structs.asdict(each.appointment), "state": each.state, **said} for each in given]
        tx.conn.execute(insert(appointments), rows)


def end_appointment(tx: Tx, appointment: Appointment) -> None:
    """Let it end on its last day."""
    tx.conn.execute(
        update(appointments)
        .where(appointments.c.appointment_id == appointment.appointment_id)
        .values(valid_until=appointment.valid_until)
    )


def settle(tx: Tx, appointment_id: str, state: str, decision: Decision) -> None:
    """What was decided on a proposed appointment."""
    tx.conn.execute(
        update(appointments)
        .where(appointments.c.appointment_id == appointment_id)
        .values(
            state=state,
            decided_by=decision.person,
            decided_at=decision.at,
            decided_reason=decision.reason,
        )
    )
