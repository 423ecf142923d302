"""The statements that keep versions of the registers; all within the caller's transaction."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Table, insert, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from reporting.organisation import tables
from reporting.organisation.model import Known, Register, T
from shared.transaction import Tx

_VERSIONS: Mapping[str, Table] = {
    "branch": tables.branch_versions,
    "department": tables.department_versions,
    "post": tables.post_versions,
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
