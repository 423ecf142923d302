"""The newest version of each branch, department and post, as they are read."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from reporting.organisation import tables
from reporting.organisation.rules import AppointmentNotFound
from shared.identity import EVERY_BRANCH
from shared.paging import page_of
from shared.transaction import Tx

_NEWEST = """not exists (select from {table} n where n.{key} = v.{key} and n.version > v.version)
    and cast(:newest as boolean)"""


def branches(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """The branches that the token covers, by id. Raises ForeignBranch."""
    of_day = "v.opened_on <= cast(:day as date) and coalesce(v.closed_on, 'infinity') >= cast(:day as date)"
    conditions = {
        "v.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
        "v.kind = :kind": args["kind"],
        "v.region = :region": args["region"],
        of_day: args["day"],
    }
    return _page(tx, "branch_versions", "branch_id", conditions, args)


def departments(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Departments, by id."""
    conditions = {"v.department_id = :department_id": args["department_id"], **_of_day(args["day"])}
    return _page(tx, "department_versions", "department_id", conditions, args)


def posts(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Posts, by id."""
    conditions = {
        "v.post_id = :post_id": args["post_id"],
        "v.department_id = :department_id": args["department_id"],
        "v.roles @> array[cast(:role as text)]": args["role"],
        **_of_day(args["day"]),
    }
    return _page(tx, "post_versions", "post_id", conditions, args)


def staff(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Staff, by id. Raises ForeignBranch."""
    tx.actor.require_branch(EVERY_BRANCH)
    of_day = """v.employed_from <= cast(:day as date)
        and coalesce(v.employed_until, 'infinity') >= cast(:day as date)"""
    conditions = {
        "v.staff_id = :staff_id": args["staff_id"],
        "v.manager_id = :manager_id": args["manager_id"],
        of_day: args["day"],
    }
    return _page(tx, "staff_versions", "staff_id", conditions, args)


def appointments(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Appointments in the branches of the token, by id. Raises ForeignBranch."""
    conditions = {
        "v.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
        "v.staff_id = :staff_id": args["staff_id"],
        "v.post_id = :post_id": args["post_id"],
        "v.state = :state": args["state"],
        **_of_day(args["day"]),
    }
    return page_of(tx.conn, "select v.* from appointments v", conditions, {"v.appointment_id": str}, args)


def appointment(tx: Tx, appointment_id: str) -> dict[str, Any]:
    """Raises AppointmentNotFound."""
    wanted = select(tables.appointments).where(tables.appointments.c.appointment_id == appointment_id)
    row = tx.conn.execute(wanted).mappings().one_or_none()
    if row is None:
        raise AppointmentNotFound("no such appointment")
    return dict(row)


def _of_day(day: date | None) -> dict[str, date | None]:
    return {
        "v.valid_from <= cast(:day as date) and coalesce(v.valid_until, 'infinity') >= cast(:day as date)": day
    }


def _page(
    tx: Tx, table: str, key: str, conditions: Mapping[str, Any], args: Mapping[str, Any]
) -> dict[str, Any]:
    newest = _NEWEST.format(table=table, key=key)
    return page_of(
        tx.conn, f"select v.* from {table} v", {newest: True, **conditions}, {f"v.{key}": str}, args
    )


def employed_on(person: str, day: str) -> str:
    """SQL: whether the person of this column is employed on the day of this parameter."""
    return f"""exists (select from staff_versions s where s.staff_id = {person}
        and not exists (select from staff_versions n where n.staff_id = s.staff_id and n.version > s.version)
        and s.employed_from <= cast({day} as date)
        and coalesce(s.employed_until, 'infinity') >= cast({day} as date))"""


def staff_known(tx: Tx, ids: Collection[str]) -> set[str]:
    """Those of these persons whom the register knows."""
    key = tables.staff_versions.c.staff_id
    return set(tx.conn.execute(select(key).where(key.in_(sorted(ids))).distinct()).scalars())
