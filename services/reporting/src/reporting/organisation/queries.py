"""The newest version of each branch, department and post, as they are read."""

from collections.abc import Mapping
from datetime import date
from typing import Any

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
